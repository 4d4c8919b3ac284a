namespace MedMerge.Data.Formats;

/// <summary>All formats of data sets.</summary>
internal static class DatasetFormats
{
    /// <summary>The first that matches a location is used; the last matches every location.</summary>
    private static readonly IReadOnlyList<IDatasetFormat> All = [new PhantomFormat(), new MedMnistFormat()];

    /// <summary>What a specification may write, for help and schema.</summary>
    public static string Description { get; } = string.Join(", or ", All.Reverse().Select(format => format.Description));

    /// <summary>Gets the format of a location.</summary>
    public static IDatasetFormat Get(string location) => All.First(format => format.Matches(location));
}
