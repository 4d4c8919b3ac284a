namespace MedMerge.Data.Catalogue;

/// <summary>
/// Torchvision's weights for the architectures that are known here, trained on ImageNet-1k. Addresses, accuracies and sizes in MiB are
/// those of its sources (<c>torchvision/models</c>). A file's name ends in the first eight digits of its SHA-256; the others, and lengths
/// in bytes, are what several people who downloaded it found alike.
/// </summary>
internal static class TorchvisionWeights
{
    private const string Folder = "https://download.pytorch.org/models/";
    private const double RoundingOfMebibytes = 0.0005;

    public static IReadOnlyList<CatalogueEntry> All { get; } =
    [
        Create("resnet18", 69.758, "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec", 44.661, 46_830_571),
        Create("resnet34", 73.314, "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f", 83.275, 87_319_819),
        Create("resnet50", 76.130, "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a", 97.781, 102_530_333),
        Create("resnet50", 80.858, "11ad3fa62ca79e40addfd354a8ec4b7c75143b3038b8d2a807fbc68deab379ca", 97.79, 102_540_417, version: 2),
        Create("densenet121", 74.434, "a639ec97d7c33b07ae66f0b5fb7d0192f95a3b11b7576c66c0126c2a727c4395", 30.845, 32_342_954),
        Create("vgg16_bn", 73.360, "6c64b313", 527.866, 553_507_836),
        Create("mobilenet_v2", 71.878, "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889", 13.555),
        Create("mobilenet_v2", 72.154, "7ebf99e03e254b273379b23edca7ec0da9f48273b23a332b93c1c99d49e86e8f", 13.598, version: 2),
    ];

    /// <param name="architecture">Its name here, which is torchvision's.</param>
    /// <param name="accuracy">On ImageNet's validation images, in per cent.</param>
    /// <param name="sha256">All digits, or the eight of the file's name.</param>
    /// <param name="mebibytes">The size that torchvision gives, to three decimals.</param>
    /// <param name="bytes">The length; null where no source for it was found.</param>
    /// <param name="version">1 for torchvision's <c>IMAGENET1K_V1</c>, 2 for <c>IMAGENET1K_V2</c>, trained by another recipe.</param>
    private static CatalogueEntry Create(
        string architecture,
        double accuracy,
        string sha256,
        double mebibytes,
        long? bytes = null,
        int version = 1)
    {
        var file = $"{architecture}-{sha256[..8]}.pth";
        return new CatalogueEntry
        {
            Name = version == 1 ? architecture : $"{architecture}-v{version}",
            Contents = FormattableString.Invariant($"{architecture} of ImageNet-1k, accuracy {accuracy:0.0} %"),
            Licence = "BSD-3-Clause",
            Credit = "torchvision; the terms of ImageNet, which it was trained on, may apply",
            Normalisation = "imagenet",
            Files =
            [
                new CatalogueFile($"weights/{file}", new Uri(Folder + file), FileHash.Sha256(sha256))
                {
                    Bytes = bytes,
                    MaxBytes = bytes ?? (long)Math.Ceiling((mebibytes + RoundingOfMebibytes) * (1 << 20)),
                },
            ],
        };
    }
}
