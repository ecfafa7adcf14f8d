"""The maths: each op is a function from arrays to (result, backward).

`backward(g)` takes the gradient of the loss with respect to the result, of the result's shape, and gives a tuple with one
gradient for each array that came in, of that array's shape (None for one that has none, such as a mask). Ops need no
graph and keep no state: they never write to their inputs nor to `g`, and keep what `backward` names, no more.
"""

from minires.ops.arithmetic import add, divide, maximum, multiply, negative, power, subtract, where
from minires.ops.conv import algorithm, col2im, conv2d, im2col
from minires.ops.elementwise import exp, log, relu, sigmoid, sqrt, tanh
from minires.ops.linear import linear, matmul
from minires.ops.loss import cross_entropy, log_softmax, mse_loss, softmax
from minires.ops.norm import batch_norm, batch_norm_frozen, channel_stats, dropout
from minires.ops.onepass import add_relu, norm_add_relu
from minires.ops.pool import avg_pool2d, global_avg_pool, max_pool2d
from minires.ops.reduce import max, mean, sum, var
from minires.ops.shape import broadcast_to, concatenate, getitem, pad, reshape, transpose
