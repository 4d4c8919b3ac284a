namespace MedMerge.Models;

/// <summary>Python that makes an architecture's network in PyTorch, for model cards.</summary>
/// <param name="Imports">What it imports.</param>
/// <param name="Network">Makes <c>model</c>, of <c>weights</c> (the state dictionary) and <c>config</c> (<c>config.json</c>).</param>
internal sealed record PyTorchCode(string Imports, string Network)
{
    /// <summary>A CIFAR ResNet of the depth and width that the weights have; PyTorch and torchvision have none.</summary>
    public static PyTorchCode CifarNetwork { get; } = new(
        """
        import torch
        from torch import nn
        """,
        """
        class Block(nn.Module):
            def __init__(self, inputs, outputs, stride):
                super().__init__()
                self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
                self.bn1 = nn.BatchNorm2d(outputs)
                self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
                self.bn2 = nn.BatchNorm2d(outputs)

            def forward(self, x):
                y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
                new = y.shape[1] - x.shape[1]
                if new:  # the shortcut drops pixels, and new channels are zero
                    x = nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, new // 2, new - new // 2))
                return (x + y).relu()

        def stage(inputs, outputs, stride, blocks):
            return nn.Sequential(Block(inputs, outputs, stride), *(Block(outputs, outputs, 1) for _ in range(blocks - 1)))

        class ResNet(nn.Module):
            def __init__(self, first, second, third, blocks, classes):
                super().__init__()
                self.conv1 = nn.Conv2d(3, first, 3, padding=1, bias=False)
                self.bn1 = nn.BatchNorm2d(first)
                self.layer1 = stage(first, first, 1, blocks)
                self.layer2 = stage(first, second, 2, blocks)
                self.layer3 = stage(second, third, 2, blocks)
                self.linear = nn.Linear(third, classes)

            def forward(self, x):
                x = self.layer3(self.layer2(self.layer1(self.bn1(self.conv1(x)).relu())))
                return self.linear(x.mean((2, 3)))

        channels = [weights[f"layer{i}.0.conv1.weight"].shape[0] for i in (1, 2, 3)]
        blocks = len([name for name in weights if name.startswith("layer1.") and name.endswith(".conv1.weight")])
        model = ResNet(*channels, blocks, config["num_labels"])
        """);

    /// <summary>One of torchvision's networks.</summary>
    /// <param name="changes">Lines that change <c>model</c>.</param>
    public static PyTorchCode Torchvision(string name, params string[] changes)
    {
        var network = $"model = torchvision.models.{name}(num_classes=config[\"num_labels\"])";
        return new PyTorchCode("import torch, torchvision", string.Join('\n', [network, .. changes]));
    }
}
