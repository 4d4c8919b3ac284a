using MedMerge.Data.Catalogue;

namespace MedMerge.Data.Checks;

/// <summary>Notes on public data sets that were made of the same images; where those were cut or drawn anew, there are no copies.</summary>
internal static class OriginChecks
{
    /// <summary>What a data set is taken for and made of, and what else was; null where it is not known.</summary>
    public static string? Describe(ImageDataset dataset)
    {
        if (PublicSets.Find(dataset) is not { } set) return null;
        var related = PublicSets.All
            .Where(other => other != set && other.Origins.Intersect(set.Origins).Any())
            .Select(other => other.Name)
            .Except(set.Origins.Select(origin => origin.Name))
            .ToList();
        var others = related.Count == 0 ? "" : $", as are those of {string.Join(", ", related)}";
        return $"taken for {set.Name}; its images are from {string.Join(" and ", set.Origins)}{others}";
    }

    /// <summary>The origin that a target has in common with what a model was trained on; null where none is known.</summary>
    public static string? Between(ImageDataset trained, ImageDataset target) =>
        PublicSets.FindCommonOrigin(trained, target) is { } origin ? $"both were made of {origin}" : null;
}
