"""The compiled engine: from a rewritten graph to one plain C file, built, loaded and called.

The folder follows the life of a function:

=================  =====================================================================================
`linker`           the Linker that `theano.function` uses for the C modes
`recall`           functions that were compiled before, found by their graph; `recalled` runs them
`compiled`         what a call of a function runs, made of all that follows
`schedule`         order of the nodes, segments of compilable nodes, Python islands, lazy branches
`builder`          what lowerings write into: views, extents, checks, loops
`step`             the same inside of a loop in time, or of a branch
`lower/`           one file per op family, registered by op class (single dispatch)
`scalarbody`       scalar ops as statements of a loop body
`ir`               the loop IR: buffers, views, loops, reductions, calls
`fuse`             fewer loops: producers into their consumers, equal domains together
`memory`           lifetimes and scratch slots
`print_c`          the IR as C text; `print_kernel` its loops, `print_parts` long segments; `source_file` puts the file together
`products`         matrix products, a library of their own
`pool`             the threads that functions share
`abi`              how the C side is called; `wiring` ties its arrays to the function's values
`build`            text to loaded library (compiler, cache, BLAS addresses)
`call`             calling segments from Python, wrapping results, wording errors
`explain`          `function.explain()`
=================  =====================================================================================

No op knows this package.
"""
