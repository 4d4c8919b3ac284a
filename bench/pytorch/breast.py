"""The training of bench/pytorch/breast.yaml in plain PyTorch, one trial after the other: what `medmerge run` is compared with.

    MEDMERGE_DATA=FOLDER /usr/bin/python3 bench/pytorch/breast.py bench/pytorch/breast.yaml

Needs PyTorch, NumPy and PyYAML (Debian: python3-torch, which brings the others). It trains as many networks of the same size as the
specification's trials do, on the same images, in batches of the same size, for as many steps: each trial's fine-tunings at every learning
rate, validation after each epoch, the best epoch on validation, its predictions on the test images at the end. Learning kernel weights is
one network's training with its batch norm fixed, which is what it costs there.

It leaves out what medmerge does besides: measuring the start on validation, linear probes, re-estimating batch norm, folding and merging
kernels with their float64 certificate, gradients of the kernel weights, scrambled partners (all trials start from a source or from random
weights), checkpoints and results in a store, hashes, draws that are the same everywhere, intervals and verdicts. So its scores say nothing
about the methods.
"""
import argparse
import copy
import os
import pathlib
import time

import numpy
import torch
import yaml
from torch import nn
from torch.nn import functional

# medmerge's defaults
BATCH_SIZE = 64
EVALUATION_BATCH_SIZE = 256
LEARNING_RATE = 0.001
LEARNING_RATES = (LEARNING_RATE / 3, LEARNING_RATE, LEARNING_RATE * 3)
WEIGHT_DECAY = 0.01
KERNEL_WEIGHT_LEARNING_RATE = 0.003

steps = 0


class Block(nn.Module):
    """A basic block with the option-A shortcut of He et al. 2015: every second pixel, and zeros for the new channels."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride = stride
        self.padding = (outputs - inputs) // 2

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.padding:
            x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.padding, self.padding))
        return functional.relu(y + x)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1), Block(16, 16, 1), Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.linear = nn.Linear(64, 2)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self.reset_head()

    def reset_head(self):
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def load_data(path, device):
    """Images [count, 3, height, width], normalised by the training images, and labels [count], of each split."""
    file = numpy.load(path)
    mean = file["train_images"].mean() / 255
    deviation = file["train_images"].std() / 255
    data = {}
    for split in ("train", "val", "test"):
        images = torch.tensor(file[split + "_images"]).float().div(255).sub(mean).div(deviation)
        images = images.unsqueeze(1).repeat(1, 3, 1, 1)
        labels = torch.tensor(file[split + "_labels"]).long().flatten()
        data[split] = (images.to(device), labels.to(device))
    return data


def macro_f1(predicted, labels):
    scores = []
    for label in range(2):
        hits = ((predicted == label) & (labels == label)).sum().item()
        wrong = ((predicted == label) != (labels == label)).sum().item()
        if hits + wrong > 0:
            scores.append(2 * hits / (2 * hits + wrong))
    return sum(scores) / len(scores)


@torch.no_grad()
def evaluate(model, images, labels):
    """Macro F1, and the negative of the loss for epochs with equal F1."""
    model.eval()
    logits = torch.cat([model(part) for part in images.split(EVALUATION_BATCH_SIZE)])
    return macro_f1(logits.argmax(1), labels), -functional.cross_entropy(logits, labels).item()


def train(model, data, epochs, optimizer, schedule=None, fixed_batch_norm=False):
    """Trains the model and leaves it as it was after its best epoch on validation. Returns that epoch's score."""
    global steps
    images, labels = data["train"]
    best_score, best_state = None, None
    for _ in range(epochs):
        model.train(not fixed_batch_norm)
        for batch in torch.randperm(len(images)).to(images.device).split(BATCH_SIZE):
            loss = functional.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if schedule:
                schedule.step()
            steps += 1
        score = evaluate(model, *data["val"])
        if best_score is None or score > best_score:
            best_score, best_state = score, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)
    return best_score


def fine_tune(start, data, epochs, learning_rate):
    model = copy.deepcopy(start)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=WEIGHT_DECAY)
    steps_per_epoch = -(-len(data["train"][0]) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs * steps_per_epoch)
    score = train(model, data, epochs, optimizer, schedule)
    return score, model


def learn_kernel_weights(start, data, epochs):
    model = copy.deepcopy(start)
    optimizer = torch.optim.Adam(model.parameters(), lr=KERNEL_WEIGHT_LEARNING_RATE)
    train(model, data, epochs, optimizer, fixed_batch_norm=True)
    return model


def load_photographs(path):
    """The CIFAR-10 network, with a new classifier."""
    model = ResNet20()
    state = torch.load(path, map_location="cpu", weights_only=False)["state_dict"]
    state = {name.removeprefix("module."): value for name, value in state.items()}
    model.load_state_dict({**state, "linear.weight": model.linear.weight, "linear.bias": model.linear.bias})
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("specification", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: one a core")
    parser.add_argument("--device", default="cpu", help="cpu or cuda:N")
    arguments = parser.parse_args()
    began = time.time()
    # Debian's build takes one thread on machines whose cores it cannot count.
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    # As medmerge computes.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True

    specification = yaml.safe_load(arguments.specification.read_text())
    folder = pathlib.Path(os.environ["MEDMERGE_DATA"])
    photographs_file, chest_pretraining = (source.get("weights") or source["pretrain"] for source in specification["sources"])
    weight_epochs = specification["kernelWeights"]["epochs"]
    fine_tune_epochs = specification["fineTune"]["epochs"]
    # All methods see the training images equally often; the probe and the batch norm statistics are one pass each.
    budget = weight_epochs + 2 + fine_tune_epochs

    data = load_data(folder / specification["target"]["data"], arguments.device)
    photographs = load_photographs(folder / photographs_file).to(arguments.device)
    chest_data = load_data(folder / chest_pretraining["data"], arguments.device)
    _, chest = fine_tune(ResNet20().to(arguments.device), chest_data, chest_pretraining["epochs"], LEARNING_RATE)
    chest.reset_head()
    print(f"pretraining: {steps} steps", flush=True)

    # name, start, epochs of learning kernel weights, epochs of fine-tuning
    trials = [
        ("medmerge", photographs, weight_epochs, fine_tune_epochs),
        ("average", photographs, 0, budget - 2),
        ("fine-tune photographs", photographs, 0, budget),
        ("fine-tune chest", chest, 0, budget),
        ("lp-ft photographs", photographs, 0, budget - 2),
        ("lp-ft chest", chest, 0, budget - 2),
        ("restored photographs", photographs, 0, budget - 2),
        ("restored chest", chest, 0, budget - 2),
        ("scratch", ResNet20().to(arguments.device), 0, budget),
        ("untrained-partner", photographs, weight_epochs, fine_tune_epochs),
        ("scrambled-partner", photographs, weight_epochs, fine_tune_epochs),
        ("self-scale", photographs, weight_epochs, fine_tune_epochs),
    ]
    for name, start, weigh, epochs in trials:
        if weigh:
            start = learn_kernel_weights(start, data, weigh)
        tries = [fine_tune(start, data, epochs, rate) for rate in LEARNING_RATES]
        _, model = max(tries, key=lambda tried: tried[0])
        score, _ = evaluate(model, *data["test"])
        print(f"{name}: macro F1 {100 * score:.1f}, {steps} steps so far", flush=True)

    seconds = time.time() - began
    print(f"PyTorch {torch.__version__}, {arguments.device}, {arguments.threads} threads: "
          f"{len(trials)} trials, {steps} steps, {seconds:.1f} s, {3600 * len(trials) / seconds:.0f} trials an hour")


if __name__ == "__main__":
    main()
