using System.IO.Hashing;
using System.Text;

namespace MedMerge.Data.Formats.Images;

/// <summary>An image file of a data set.</summary>
/// <param name="Path">Among the files.</param>
/// <param name="Class">The name of its class; of several labels what the list has.</param>
/// <param name="Split">Which split it is in; null where the data don't say.</param>
/// <param name="Group">What is never on two sides of a split, such as a patient; null if it stands by itself.</param>
internal sealed record ListedImage(string Path, string Class, DatasetSplit? Split, string? Group = null)
{
    /// <summary>Its labels, where an image may have several or none; null where each has one class.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>How much it counts in training, beside the others; null where the list does not say.</summary>
    public float? Weight { get; init; }

    /// <summary>By which data sets know its group again, without having its name; 0 if it stands by itself.</summary>
    public ulong GroupHash => Group is null ? 0 : XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(Group));

    /// <summary>What splits have in the same shares: its class, or each of its labels; having none counts as one.</summary>
    public IReadOnlyList<string> Kinds => Labels switch
    {
        null => [Class],
        { Count: 0 } => [""],
        _ => Labels,
    };
}

/// <summary>A part of a data set.</summary>
internal enum DatasetSplit
{
    /// <summary>What models learn from.</summary>
    Train,

    /// <summary>What settings are chosen on.</summary>
    Validation,

    /// <summary>What scores are reported on.</summary>
    Test,
}

/// <summary>What people call the splits.</summary>
internal static class SplitNames
{
    private static readonly Dictionary<string, DatasetSplit> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["train"] = DatasetSplit.Train,
        ["training"] = DatasetSplit.Train,
        ["val"] = DatasetSplit.Validation,
        ["valid"] = DatasetSplit.Validation,
        ["validation"] = DatasetSplit.Validation,
        ["test"] = DatasetSplit.Test,
        ["testing"] = DatasetSplit.Test,
    };

    /// <summary>For messages.</summary>
    public static string All { get; } = string.Join(", ", Known.Keys);

    /// <summary>What messages call a split.</summary>
    public static string Get(DatasetSplit split) => Known.First(name => name.Value == split).Key;

    /// <summary>The split of that name; null if it is none.</summary>
    public static DatasetSplit? Find(string name) => Known.TryGetValue(name, out var split) ? split : null;
}
