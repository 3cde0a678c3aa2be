seed = 7
n_in, n_hidden = 3, 20 / 3
