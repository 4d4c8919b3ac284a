using System.Text.RegularExpressions;

namespace MedMerge.Data.Catalogue;

/// <summary>A public data set, as far as is known what it was made of.</summary>
/// <param name="Name">As messages show it.</param>
/// <param name="Origins">What it was made of; two sets with a common origin are related.</param>
internal sealed record PublicSet(string Name, params IReadOnlyList<ImageOrigin> Origins)
{
    /// <summary>Names of its folder or file, in lower case, of letters and digits alone.</summary>
    public required IReadOnlyList<string> FileNames { get; init; }

    /// <summary>How many images its splits for validation and test have, and how many classes; null where it has no fixed splits.</summary>
    public (int Validation, int Test, int Classes)? Counts { get; init; }
}

/// <summary>
/// The public data sets whose origins are known. One is recognised by the name of its file or folder, MedMNIST's also by how many images
/// and classes there are: a copy that was renamed, packed, or whose images were put in another order is the same set, which a hash
/// would not tell.
/// </summary>
internal static partial class PublicSets
{
    /// <summary>Those of the catalogue, then others that they were made of or that hold the same images.</summary>
    public static IReadOnlyList<PublicSet> All { get; } =
    [
        .. MedMnistSets.All.Select(Create),
        new("NCT-CRC-HE-100K", ImageOrigins.NctCrc) { FileNames = ["nctcrche100k", "nctcrche100knonorm"] },
        new("CRC-VAL-HE-7K", ImageOrigins.CrcVal) { FileNames = ["crcvalhe7k"] },
        new("NIH ChestX-ray14", ImageOrigins.ChestXray)
        {
            FileNames = ["chestxray14", "chestxray8", "nihchestxray14", "nihchestxray8", "nihchestxray", "nihchestxrays", "nihcxr"],
        },
        new("HAM10000", ImageOrigins.Ham) { FileNames = ["ham10000"] },
        new("ISIC 2018", ImageOrigins.Ham) { FileNames = ["isic2018", "isic2018task3", "isic2018task3traininginput"] },
        new("ISIC 2019", ImageOrigins.Ham) { FileNames = ["isic2019", "isic2019traininginput"] },
        new("OCT2017", ImageOrigins.Oct) { FileNames = ["oct2017"] },
        new("ChestXRay2017", ImageOrigins.PaediatricChestXray) { FileNames = ["chestxray2017", "chestxraypneumonia"] },
        new("DeepDRiD", ImageOrigins.DeepDrid) { FileNames = ["deepdrid"] },
        new("BUSI", ImageOrigins.Busi) { FileNames = ["busi", "datasetbusi", "datasetbusiwithgt"] },
        new("BBBC051", ImageOrigins.KidneyCells) { FileNames = ["bbbc051"] },
        new("LiTS", ImageOrigins.Lits) { FileNames = ["lits", "lits17", "lits2017"] },
    ];

    /// <summary>The set that a data set is; null where it is none of them.</summary>
    public static PublicSet? Find(ImageDataset dataset)
    {
        if (dataset.IsSynthetic) return null;
        var name = NotInNames().Replace(SizeAtEnd().Replace(dataset.Name.ToLowerInvariant(), ""), "");
        var counts = (dataset.Validation.Count, dataset.Test.Count, dataset.Classes);
        return All.FirstOrDefault(set => set.FileNames.Contains(name)) ?? All.FirstOrDefault(set => set.Counts == counts);
    }

    /// <summary>An origin that two data sets have in common; null where they are not known to have one.</summary>
    public static ImageOrigin? FindCommonOrigin(ImageDataset one, ImageDataset other) =>
        Find(one) is { } first && Find(other) is { } second ? first.Origins.Intersect(second.Origins).FirstOrDefault() : null;

    private static PublicSet Create(MedMnistSet set) => new(set.Name, set.Origins)
    {
        FileNames = [set.Name],
        Counts = (set.Validation, set.Test, set.Classes),
    };

    /// <summary>As in <c>breastmnist_64</c>.</summary>
    [GeneratedRegex("[_-](28|64|128|224)$")]
    private static partial Regex SizeAtEnd();

    [GeneratedRegex("[^a-z0-9]")]
    private static partial Regex NotInNames();
}
