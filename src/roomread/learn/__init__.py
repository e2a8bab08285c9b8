"""Make an expression model: data, augmentation, network, training, evaluation, export."""
