"""Signal processing.

==============  ==================================================
`pool`          max, sum and average pooling, with gradients
`conv`          2-D convolution of images without channels
`downsample`    the old names of `pool`
==============  ==================================================
"""
