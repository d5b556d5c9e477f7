"""What things are: types, settings, taxonomy, storage and queries. Knows neither HTTP nor feeds."""
