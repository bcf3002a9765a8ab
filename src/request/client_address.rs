//! The client's address, from the peer and the forwarding header.
