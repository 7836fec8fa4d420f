"""Language models of neural networks: a fixed window of words, and a recurrent state.

What a step of ``RecurrentLM.fit`` passes, module by module (``WindowLM``: window, window_network)::

    recurrent, base              the parameters of the model; its fit, which makes a network and a training
    nn.training.loop             ``Training.step``: learn from a batch, limit the gradient, let the optimizer step
    recurrent_network            ``RecurrentTrainee`` cuts the text into batches; ``RecurrentNetwork.loss_and_gradient``
                                 goes up through the layers to the head, and back down
    nn.layers, nn.recurrent      word vectors; recurrent layers
    network, outputs             ``head_loss``: the output layer, its loss and gradient
    nn.parameters, nn.optimizers all parameters are views of one vector, which the optimizer changes in place
"""
