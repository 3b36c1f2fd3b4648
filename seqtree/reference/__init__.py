"""The networks of the chapters in NumPy: forward and backward passes by hand, and checks of every gradient.

Code for reading. Every network is a :class:`~seqtree.reference.network.Network`: ``parameters`` by name, ``forward``,
``backward``, ``update``; everything is float64, one example at a time, without a batch dimension. An array of
another shape than a docstring says is refused.

chapter 1  perceptron
chapter 2  linear_unit, squared_error
chapter 3  nodes (node by node, for reading), fully_connected (the same with matrices)
chapter 4  convolution, pooling
chapter 5  recurrent, bidirectional (and deep), softmax, language_model
chapter 6  lstm, gru
chapter 7  recursive, max_margin, tensor, labelled_nodes
chapter 8  encoder_decoder, attention
chapter 9  crf (beside a network that gives its scores)
all        network, activations, gradient_check, examples (what ``seqtree gradcheck`` checks)
"""
