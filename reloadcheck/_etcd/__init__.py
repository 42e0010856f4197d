"""A small client for etcd's version 3, over its JSON gateway and `http.client`."""
