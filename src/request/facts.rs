//! All facts of a request, gathered in one place.
