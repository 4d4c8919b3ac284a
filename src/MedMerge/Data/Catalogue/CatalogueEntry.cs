namespace MedMerge.Data.Catalogue;

/// <summary>What <c>medmerge data get</c> gets by one name: a data set in one or several sizes, or a model's weights.</summary>
internal sealed record CatalogueEntry
{
    /// <summary>As commands take it: <c>breastmnist</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it is, in a few words.</summary>
    public required string Contents { get; init; }

    /// <summary>The licence that its publisher names.</summary>
    public required string Licence { get; init; }

    /// <summary>Who is to be credited.</summary>
    public required string Credit { get; init; }

    /// <summary>A data set's by size, the smallest first; one of a model.</summary>
    public required IReadOnlyList<CatalogueFile> Files { get; init; }

    /// <summary>A model's <c>normalisation</c> in a specification; null for a data set.</summary>
    public string? Normalisation { get; init; }

    /// <summary>Whether it is a model's weights, not a data set.</summary>
    public bool IsWeights => Normalisation is not null;
}
