"""MedCom's letters once they are read: their receipts, and what is published and kept of them."""
