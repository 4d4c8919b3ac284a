using MedMerge.Data;

namespace MedMerge.Experiments.Specifications;

/// <summary>Where a specification names data sets, sources and numbers of trials, for errors that show only when a plan is made.</summary>
/// <param name="origin">What messages call the specification.</param>
internal sealed class SpecificationLines(string origin)
{
    private readonly Dictionary<DatasetSource, int> _datasets = [];
    private readonly Dictionary<string, int> _sources = [];
    private readonly HashSet<string> _missing = [];

    /// <summary>What messages call the specification.</summary>
    public string Origin => origin;

    /// <summary>Where the number of trials comes from: what is varied, or else the seeds. Null where neither is named.</summary>
    public int? Trials { get; set; }

    /// <summary>Records where a data set is named; the first place counts.</summary>
    public void Add(DatasetSource dataset, int line) => _datasets.TryAdd(dataset, line);

    /// <summary>Records where a source's weight file or data set is named.</summary>
    public void Add(string source, int line) => _sources.TryAdd(source, line);

    /// <summary>Records that a data set or weight file was not found, which is an error already.</summary>
    public void AddMissing(string location) => _missing.Add(location);

    /// <summary>Whether a data set or weight file was not found.</summary>
    public bool IsMissing(string location) => _missing.Contains(location);

    /// <summary>Finds the line of a data set; null where it was changed since.</summary>
    public int? Find(DatasetSource dataset) => _datasets.TryGetValue(dataset, out var line) ? line : null;

    /// <summary>Finds the line of a source.</summary>
    public int? Find(string source) => _sources.TryGetValue(source, out var line) ? line : null;
}
