"""Random expression graphs: the compiled function against each op's own `perform`."""
