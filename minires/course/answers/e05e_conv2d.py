"""Exercise 05e: what goes wrong with convolution on im2col and col2im."""

from minires.backend import xp
from minires.ops.conv import col2im, im2col
from minires.ops.windows import output_size, window


class _Conv:
    """A convolution in parts: its sizes, its columns, and its gradients, each of which can be wrong."""

    def __init__(self, x, weight, bias, stride, padding):
        self.x = x
        self.weight = weight
        self.biased = bias is not None
        (self.kh, self.kw, self.c, self.f) = weight.shape
        kernel, steps, frame = window((self.kh, self.kw), stride, padding)
        self.options = {"kernel": kernel, "stride": steps, "padding": frame}
        self.shape = (len(x), *output_size(x.shape[1:3], kernel, steps, frame), self.f)
        self.bias = 0 if bias is None else bias

    def columns(self):
        """(N*OH*OW, KH*KW*C)"""
        return im2col(self.x, **self.options)[0]

    def matrix(self):
        """(KH*KW*C, F)"""
        return self.weight.reshape(-1, self.f)

    def y(self, matrix=None):
        """Return the result, with this weight matrix or the right one."""
        matrix = self.matrix() if matrix is None else matrix
        return (self.columns() @ matrix + self.bias).reshape(self.shape)

    def back(self, g_columns=None, g_matrix=None, g_bias=None):
        """Return backward, with some gradients replaced: functions of rows."""

        def backward(g):
            rows = g.reshape(-1, self.f)
            columns = g_columns(rows) if g_columns else rows @ self.matrix().T
            matrix = g_matrix(rows) if g_matrix else self.columns().T @ rows
            bias = (g_bias(rows) if g_bias else rows.sum(axis=0)) if self.biased else None
            g_x, _ = col2im(columns, shape=self.x.shape, **self.options)
            return g_x, matrix.reshape(self.weight.shape), bias

        return backward


def columns_kept(x, weight, bias=None, *, stride=1, padding=0):
    """backward names the columns of the forward pass, and so keeps them: they are KH * KW times as large as x"""
    conv = _Conv(x, weight, bias, stride, padding)
    columns = conv.columns()
    return conv.y(), conv.back(g_matrix=lambda rows: columns.T @ rows)


def flipped(x, weight, bias=None, *, stride=1, padding=0):
    """the kernel is flipped in the forward pass"""
    conv = _Conv(x, weight, bias, stride, padding)
    return conv.y(weight[::-1, ::-1].reshape(-1, conv.f)), conv.back()


def weight_channels_first(x, weight, bias=None, *, stride=1, padding=0):
    """weight is flattened channel by channel (C, KH, KW): in a row of the columns, the channels of a pixel are next to each other"""
    conv = _Conv(x, weight, bias, stride, padding)
    return conv.y(weight.transpose(2, 0, 1, 3).reshape(-1, conv.f)), conv.back()


def result_channels_first(x, weight, bias=None, *, stride=1, padding=0):
    """the product is reshaped to (N, F, OH, OW): its rows are positions of the window, and its columns are filters"""
    conv = _Conv(x, weight, bias, stride, padding)
    n, oh, ow, f = conv.shape
    return conv.y().reshape(n, f, oh, ow).transpose(0, 2, 3, 1), conv.back()


def bias_forgotten(x, weight, bias=None, *, stride=1, padding=0):
    """the bias is not added"""
    conv = _Conv(x, weight, bias, stride, padding)
    conv.bias = 0
    return conv.y(), conv.back()


def reshaped_not_transposed(x, weight, bias=None, *, stride=1, padding=0):
    """the weight matrix is reshaped to (F, KH*KW*C) for the gradient of x: it should be transposed"""
    conv = _Conv(x, weight, bias, stride, padding)
    return conv.y(), conv.back(g_columns=lambda rows: rows @ weight.reshape(conv.f, -1))


def weight_gradient_turned(x, weight, bias=None, *, stride=1, padding=0):
    """the gradient of weight is computed as (F, KH*KW*C) and reshaped: it should be columns.T @ rows, with filters last"""
    conv = _Conv(x, weight, bias, stride, padding)
    return conv.y(), conv.back(g_matrix=lambda rows: rows.T @ conv.columns())


def averaged_over_the_batch(x, weight, bias=None, *, stride=1, padding=0):
    """the gradient of weight is divided by N: the loss has already taken any mean"""
    conv = _Conv(x, weight, bias, stride, padding)
    return conv.y(), conv.back(g_matrix=lambda rows: conv.columns().T @ rows / len(x))


def bias_gradient_in_one(x, weight, bias=None, *, stride=1, padding=0):
    """the gradient of bias is summed over the filters too: each filter has its own"""
    conv = _Conv(x, weight, bias, stride, padding)
    return conv.y(), conv.back(g_bias=lambda rows: xp.full(conv.f, rows.sum(), dtype=rows.dtype))


def bias_gradient_averaged(x, weight, bias=None, *, stride=1, padding=0):
    """the gradient of bias is a mean: it changes every position of the result, so it is the sum"""
    conv = _Conv(x, weight, bias, stride, padding)
    return conv.y(), conv.back(g_bias=lambda rows: rows.mean(axis=0))


def two_gradients(x, weight, bias=None, *, stride=1, padding=0):
    """the gradient of bias is left out: there are three gradients, and the third is None only without a bias"""
    conv = _Conv(x, weight, bias, stride, padding)
    back = conv.back()
    return conv.y(), lambda g: back(g)[:2]
