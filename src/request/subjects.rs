//! Applications, tenants and resource servers that a request names.
