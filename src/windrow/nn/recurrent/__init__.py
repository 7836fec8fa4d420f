"""Recurrent cells and layers with truncated backpropagation through time.

What a step passes, module by module::

    layer      forward: W x + b of all steps in one product, then the steps of the cell, one after another
               backward: the steps from the last to the first, then the gradients of W, U and b in one product each
    cells      a row per cell: its kernels, and how many gates and states it has
    kernels    each cell's step forward and backward, and the two loops over steps into which they are bound; the
               gradient of a gate is a line of ``lstm_backward`` or ``gru_backward``
"""
