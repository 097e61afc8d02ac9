"""Events of operations and what DuckDB tells about them."""
