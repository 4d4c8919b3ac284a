"""check_export.py ARCHITECTURE WIDTH FOLDER: loads model.safetensors strictly into PyTorch's own network and compares its logits.

Then it gives that network other weights and saves them (saved.pt) with their logits (saved-logits.pt), and the network as PyTorch's own
exporter writes it for ONNX (saved.onnx), which folds batch norm and drops the names of what it folds.

CIFAR ResNets are written out here after akamaster/pytorch_resnet_cifar10; the others are torchvision's, with MedMNIST's stem where asked.
"""
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

try:
    from safetensors.torch import load_file as read_safetensors  # the official reader, where it is installed
except ImportError:
    from read_safetensors import read_safetensors


class Block(nn.Module):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.grows = stride != 1 or inside != outside
        self.pad = outside // 4

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        short = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad)) if self.grows else x
        return F.relu(out + short)


class CifarResNet(nn.Module):
    def __init__(self, depth, classes):
        super().__init__()
        blocks = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        inside = 16
        for stage, channels in enumerate((16, 32, 64), start=1):
            layers = []
            for block in range(blocks):
                layers.append(Block(inside, channels, 2 if stage > 1 and block == 0 else 1))
                inside = channels
            setattr(self, f"layer{stage}", nn.Sequential(*layers))
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(x.mean((2, 3)))


def build(name, width, classes):
    if name in ("resnet20", "resnet56"):
        return CifarResNet(int(name[len("resnet"):]), classes)
    import torchvision
    if name == "vgg16_bn":
        return vgg16(width, classes)
    network = getattr(torchvision.models, name.split("-")[0])(num_classes=classes)
    if name == "resnet18-3x3":
        network.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        network.maxpool = nn.Identity()
    return network


def vgg16(width, classes):
    """VGG-16 with batch norm of torchvision's parts, as its own has no width."""
    from torchvision.models import vgg
    channels = [places if places == "M" else int(places * width) for places in vgg.cfgs["D"]]
    hidden = int(4096 * width)
    network = vgg.VGG(vgg.make_layers(channels, batch_norm=True), num_classes=classes, init_weights=False)
    network.classifier[0] = nn.Linear(channels[-2] * 7 * 7, hidden)
    network.classifier[3] = nn.Linear(hidden, hidden)
    network.classifier[6] = nn.Linear(hidden, classes)
    return network


def randomise(network):
    """Gives everything random values, none of them a default."""
    torch.manual_seed(1)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_mean"):
            tensor.uniform_(-0.3, 0.3)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif tensor.dim() > 1:
            nn.init.kaiming_normal_(tensor)
        elif tensor.is_floating_point():
            tensor.uniform_(0.2, 1.2)


name, width, folder = sys.argv[1:]
images = read_safetensors(f"{folder}/images.safetensors")
expected = read_safetensors(f"{folder}/logits.safetensors")
with torch.no_grad():
    network = build(name, float(width), classes=next(iter(expected.values())).shape[1])
    network.load_state_dict(read_safetensors(f"{folder}/model.safetensors"), strict=True)
    network.eval()
    for side, batch in images.items():
        logits = network(batch)
        difference = ((logits - expected[side]).abs().max() / expected[side].abs().max()).item()
        print(f"at {side} pixels: largest difference {difference:.1e} of the largest logit")
        if not difference < 1e-4:
            sys.exit("the logits differ")
    print("same logits")
    randomise(network)
    torch.save(network.state_dict(), f"{folder}/saved.pt")
    torch.save({side: network(batch) for side, batch in images.items()}, f"{folder}/saved-logits.pt")
    torch.onnx.export(network, batch, f"{folder}/saved.onnx")
