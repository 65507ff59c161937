"""RocksDB's settings: bounded memory whatever the number of partitions, point reads first."""

from __future__ import annotations

from functools import cache

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DataBlockIndexType,
    DBCompressionType,
    Options,
    WriteBufferManager,
)

from streams.engine.limits import MIB

DUE_FAMILY = "due"

# A million small states lie in the cache unpacked; what is read from the files is unpacked block by block for each.
_BLOCK_CACHE_BYTES = 96 * MIB
_WRITE_BUFFERS_BYTES = 128 * MIB
_STATE_BUFFER_BYTES = 16 * MIB
_DUE_BUFFER_BYTES = 2 * MIB
_WAL_BYTES = 64 * MIB
_OPEN_FILES = 64
_BLOOM_BITS_PER_KEY = 10


@cache
def _block_cache() -> Cache:
    return Cache(_BLOCK_CACHE_BYTES)


@cache
def _write_buffers() -> WriteBufferManager:
    """Returns the one budget for unflushed writes that all stores of the process share."""
    return WriteBufferManager(_WRITE_BUFFERS_BYTES, allow_stall=False)


def store_options() -> Options:
    """Returns the options of a store's state family and of the database as a whole."""
    options = _family_options(_STATE_BUFFER_BYTES)
    options.create_if_missing(create_if_missing=True)
    options.create_missing_column_families(create_missing_cfs=True)
    options.set_write_buffer_manager(_write_buffers())
    options.set_max_open_files(_OPEN_FILES)
    options.set_max_total_wal_size(_WAL_BYTES)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(2)
    options.set_stats_dump_period_sec(0)
    options.set_allow_concurrent_memtable_write(allow=False)
    options.set_enable_write_thread_adaptive_yield(enabled=False)
    return options


def column_families() -> dict[str, Options]:
    """Returns the options of every family beside the default one."""
    return {DUE_FAMILY: _family_options(_DUE_BUFFER_BYTES)}


def _family_options(buffer_bytes: int) -> Options:
    table = BlockBasedOptions()
    table.set_block_cache(_block_cache())
    table.set_bloom_filter(_BLOOM_BITS_PER_KEY, block_based=False)
    table.set_data_block_index_type(DataBlockIndexType.binary_and_hash())
    table.set_data_block_hash_ratio(0.75)
    table.set_format_version(5)
    options = Options(raw_mode=True)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(buffer_bytes)
    options.set_max_write_buffer_number(2)
    # Most keys asked for are not among the latest writes: a filter spares walking their list.
    options.set_memtable_prefix_bloom_ratio(0.1)
    options.set_memtable_whole_key_filtering(whole_key_filter=True)
    options.set_level_zero_file_num_compaction_trigger(4)
    options.set_compression_type(DBCompressionType.lz4())
    return options
