"""Where bytes come from: files, directories, volumes, the environment, servers."""
