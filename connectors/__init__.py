"""Everything outside: brokers, hospitals, municipalities, programmes, the vault."""
