"""Exercise 04e, chapter 04, 25 minutes: a step of Adam, and of AdamW. Check: pytest exercises/test_e04e_adam.py"""

from minires.backend import xp


def adam(w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    """m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g**2;  w -= lr * m_hat / (sqrt(v_hat) + eps). In place.

    w, g, m, v  arrays of one shape    t  the number of this step: 1, 2, 3, ...    betas  (b1, b2)
    m_hat = m / (1 - b1**t) and v_hat = v / (1 - b2**t) correct for the start at zero.
    weight_decay  is coupled: g + weight_decay * w replaces g; or decoupled (AdamW): first w *= 1 - lr * weight_decay

    Source  Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2.

    As in SGD, change w, m and v in place, whatever lr and g are, and leave g unchanged. Store m and v without bias
    correction. Each parameter has its own t. Elements of g may be 0.
    To derive: m and v start at 0. If g is the same at each step, what is m after t steps? How do you get g back
    from it? How far does the first step go for a small g, and for a large one? Chapter 04.
    """
    raise NotImplementedError("exercise 04e: write adam")
