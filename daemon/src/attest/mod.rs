//! The two witnesses of a container, compared with one table of expectations. Pure.
