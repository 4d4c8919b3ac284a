using System.Globalization;

namespace MedMerge.Models;

/// <summary>The architectures by name.</summary>
internal static class Architectures
{
    private static readonly Dictionary<string, Func<double, Architecture>> ByName = new(StringComparer.Ordinal)
    {
        ["resnet20"] = width => new CifarResNet(20, width),
        ["resnet32"] = width => new CifarResNet(32, width),
        ["resnet44"] = width => new CifarResNet(44, width),
        ["resnet56"] = width => new CifarResNet(56, width),
        ["resnet18"] = ResNet.Create18,
        ["resnet18-3x3"] = ResNet.Create18SmallStem,
        ["resnet34"] = ResNet.Create34,
        ["resnet50"] = ResNet.Create50,
        ["vgg16_bn"] = width => new Vgg16(width),
        ["densenet121"] = width => new DenseNet121(width),
        ["mobilenet_v2"] = width => new MobileNetV2(width),
    };

    /// <summary>The names a specification may use.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. ByName.Keys];

    /// <summary>The architecture of that name and width.</summary>
    /// <exception cref="InputException">Unknown, or a width that leaves a layer without a whole number of channels.</exception>
    public static Architecture Create(string name, double width = 1) => ByName.TryGetValue(name, out var create)
        ? create(width)
        : throw new InputException($"There is no architecture '{name}'; there are: {string.Join(", ", Names)}.");

    /// <summary>The architecture with a <see cref="Architecture.Title"/>.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static Architecture Parse(string title)
    {
        var parts = title.TrimEnd(')').Split(" (width ");
        return Create(parts[0], parts.Length == 1 ? 1 : double.Parse(parts[1], CultureInfo.InvariantCulture));
    }
}
