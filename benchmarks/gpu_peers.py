"""The same work in PyTorch on a GPU: in float32, with TF32, or in bfloat16; eager or compiled; in both layouts of images."""

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.nn import functional as F

from benchmarks import peers
from benchmarks.problems import SGD, SMOOTHING

LAYOUTS = peers.LAYOUTS


def usable():
    """Return True if PyTorch finds a GPU."""
    return torch.cuda.is_available()


def describe():
    """Return versions, as figures to save."""
    return {
        "version": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }


@contextmanager
def precision(tf32):
    """Context manager: float32 products and convolutions may round their factors to TF32, or may not; and cuDNN measures which of
    its algorithms is the fastest.
    """
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark
    cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark = tf32, tf32, True
    try:
        yield
    finally:
        cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark = before


def training(net, state, x, labels, layout, *, bf16=False, compiled=False, device="cuda"):
    """Return a function that does one step: forward, loss, backward, optimizer (the fused one).

    x, labels, state  NumPy's
    bf16  forward and loss under autocast
    compiled  True, or a mode of torch.compile: "reduce-overhead" makes a CUDA graph
    """
    model = peers.build(net, layout, state).to(device).train()
    images, labels = peers.images(x, layout).to(device), torch.from_numpy(labels).to(device)
    optimizer = torch.optim.SGD(model.parameters(), fused=True, **SGD)
    mode = compiled if isinstance(compiled, str) else None
    forward = torch.compile(model, mode=mode) if compiled else model

    def step():
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            loss = F.cross_entropy(forward(images), labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def inference(net, state, x, layout, *, bf16=False, device="cuda"):
    """Return a function that returns the logits on the host, with batch norm folded into the convolutions.

    bf16  weights and images are bfloat16
    """
    dtype = torch.bfloat16 if bf16 else torch.float32
    model = (
        peers.folded(peers.build(net, layout, state))
        .to(device, dtype)
        .to(memory_format=LAYOUTS[layout])
    )
    images = peers.images(x, layout).to(device, dtype)

    def logits():
        with torch.inference_mode():
            return model(images).float().cpu().numpy()

    return logits


def products(n, device="cuda"):
    """Return name -> a function that multiplies two n x n matrices, in each precision."""

    def multiply(dtype, tf32):
        a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
        product = torch.empty_like(a)

        def run():
            with precision(tf32):
                torch.mm(a, b, out=product)

        return run

    return {"PyTorch float32": multiply(torch.float32, False), "PyTorch tf32": multiply(torch.float32, True),
            "PyTorch bf16": multiply(torch.bfloat16, False)}  # fmt: skip


def trace(step):
    """Return the events of a step's trace, as PyTorch writes them for Chrome: of all kernels in this process, CuPy's too."""
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as found:
        step()
        torch.cuda.synchronize()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trace.json"
        found.export_chrome_trace(str(file))
        return json.loads(file.read_text(encoding="utf-8"))["traceEvents"]


def peak(step):
    """Return the bytes of a step: {"used": the peak of tensors, "total": what PyTorch has taken from the GPU}."""
    torch.cuda.reset_peak_memory_stats()
    step()
    torch.cuda.synchronize()
    return {"used": torch.cuda.max_memory_allocated(), "total": torch.cuda.max_memory_reserved()}


def release():
    """Return unused memory to the GPU."""
    torch.cuda.empty_cache()
