namespace MedMerge.Data.Catalogue;

/// <summary>Public data sets and weights with their addresses and hashes.</summary>
internal static class PublicCatalogue
{
    /// <summary>Data sets, then weights.</summary>
    public static IReadOnlyList<CatalogueEntry> Entries { get; } =
    [
        .. MedMnistSets.All.Select(set => set.ToEntry()),
        .. TorchvisionWeights.All,
    ];
}
