"""Learn XOR, which no straight line can separate, with one hidden layer.

python examples/xor.py
"""

from minires import Tensor, nn, optim
from minires import functional as F

nn.manual_seed(0)
x, labels = Tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), [0, 1, 1, 0]
model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
optimizer = optim.SGD(model.parameters(), lr=0.5, momentum=0.9)

for step in range(100):
    loss = F.cross_entropy(model(x), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 19:
        print(f"step {step + 1:3}: loss {loss.item():.4f}")

for inputs, scores in zip(x.numpy(), model(x).numpy()):
    print(f"{inputs[0]:.0f} xor {inputs[1]:.0f} = {scores.argmax()}")
