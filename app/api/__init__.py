"""The JSON API: thin routes that read parameters, ask the store and shape the answer. Each module has `router(context)`."""
