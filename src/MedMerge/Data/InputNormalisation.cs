namespace MedMerge.Data;

/// <summary>How an image, scaled to 0 … 1, becomes a network's input: (x − mean) / deviation in each channel.</summary>
/// <param name="Mean">Of red, green and blue; a grey image has one mean three times.</param>
/// <param name="Deviation">The standard deviation of red, green and blue.</param>
internal sealed record InputNormalisation(IReadOnlyList<double> Mean, IReadOnlyList<double> Deviation)
{
    /// <summary>Channels of a network's input; grey images fill all of them.</summary>
    public const int Channels = 3;

    /// <summary>
    /// By name: <c>imagenet</c> is torchvision's, <c>symmetric</c> gives −1 to 1, <c>unit</c> leaves 0 to 1.
    /// </summary>
    public static IReadOnlyDictionary<string, InputNormalisation> Known { get; } = new OrderedDictionary<string, InputNormalisation>
    {
        ["imagenet"] = new([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ["symmetric"] = new([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
        ["unit"] = new([0, 0, 0], [1, 1, 1]),
    };

    /// <summary>That of a data set's training split.</summary>
    public static InputNormalisation Of(ImageDataset dataset)
    {
        var (mean, deviation) = dataset.Normalisation;
        return new InputNormalisation(Expand(mean), Expand(deviation));
    }

    /// <summary>For each channel of a network's input what is known of a grey image's one, or of all.</summary>
    public static IReadOnlyList<double> Expand(IReadOnlyList<double> channels) =>
        channels is [var grey] ? [grey, grey, grey] : channels;
}
