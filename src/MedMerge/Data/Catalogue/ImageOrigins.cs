namespace MedMerge.Data.Catalogue;

/// <summary>A collection of images that public data sets were made of.</summary>
/// <param name="Name">As messages show it.</param>
/// <param name="Source">Who published it.</param>
internal sealed record ImageOrigin(string Name, string Source)
{
    /// <inheritdoc />
    public override string ToString() => $"{Name} ({Source})";
}

/// <summary>The collections, each of which is an origin of one public data set or more.</summary>
internal static class ImageOrigins
{
    public static ImageOrigin NctCrc { get; } = new("NCT-CRC-HE-100K", "Kather et al. 2019");

    /// <summary>From another clinical centre than <see cref="NctCrc"/>.</summary>
    public static ImageOrigin CrcVal { get; } = new("CRC-VAL-HE-7K", "Kather et al. 2019");

    public static ImageOrigin ChestXray { get; } = new("NIH ChestX-ray14", "Wang et al. 2017");

    /// <summary>ISIC 2018 (task 3) and ISIC 2019 hold it whole.</summary>
    public static ImageOrigin Ham { get; } = new("HAM10000", "Tschandl et al. 2018");

    /// <summary>Published together with <see cref="PaediatricChestXray"/>; other images.</summary>
    public static ImageOrigin Oct { get; } = new("a set of retinal OCT images", "Kermany et al. 2018");

    public static ImageOrigin PaediatricChestXray { get; } = new("a set of paediatric chest X-rays", "Kermany et al. 2018");

    public static ImageOrigin DeepDrid { get; } = new("DeepDRiD", "Liu et al. 2022");

    public static ImageOrigin Busi { get; } = new("BUSI", "Al-Dhabyani et al. 2020");

    public static ImageOrigin BloodCells { get; } = new("a set of peripheral blood cells", "Acevedo et al. 2020");

    public static ImageOrigin KidneyCells { get; } = new("BBBC051", "Woloshuk et al. 2021");

    /// <summary>The CT scans that OrganAMNIST shows in axial, OrganCMNIST in coronal and OrganSMNIST in sagittal slices.</summary>
    public static ImageOrigin Lits { get; } = new("LiTS", "Bilic et al. 2023");
}
