//! The bridge as a whole: documents in, source or problems out.

mod mutations;
mod petshop;
mod refusals;
