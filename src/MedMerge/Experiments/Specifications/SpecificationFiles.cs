namespace MedMerge.Experiments.Specifications;

/// <summary>Finds the files that a specification names.</summary>
internal interface ISpecificationFiles
{
    /// <summary>A file's location, or null and why there is none.</summary>
    /// <param name="path">As written.</param>
    string? Find(string path, out string problem);
}

/// <summary>Files on this machine.</summary>
/// <param name="folders">Where relative paths are looked for, in order.</param>
internal sealed class LocalFiles(IReadOnlyList<string> folders) : ISpecificationFiles
{
    private readonly Dictionary<string, string> _found = [];

    /// <summary>What was found, by its path as written.</summary>
    public IReadOnlyDictionary<string, string> Found => _found;

    public string? Find(string path, out string problem)
    {
        var candidates = Path.IsPathRooted(path) ? [path] : folders.Select(folder => Path.GetFullPath(Path.Combine(folder, path))).ToList();
        var hint = Path.IsPathRooted(path) || Environment.GetEnvironmentVariable("MEDMERGE_DATA") is { Length: > 0 } ? "" : " (MEDMERGE_DATA is not set)";
        problem = $"there is no file '{path}'; looked for {string.Join(" and ", candidates)}{hint}";
        return candidates.FirstOrDefault(File.Exists) is { } found ? _found[path] = found : null;
    }
}

/// <summary>Files that were sent along, named by their content. A path in what was sent means nothing here, and is never opened.</summary>
internal sealed class SentFiles(IReadOnlyDictionary<string, string> sent) : ISpecificationFiles
{
    private const int MaxName = 255;

    public string? Find(string path, out string problem)
    {
        var address = FrozenSpecification.HashOf(path) is null ? sent.GetValueOrDefault(path) : path;
        problem = address is null ? $"the file '{path}' was not sent along" : $"the file '{path}' was sent along as '{address}', which is not sha256:HASH/NAME with a plain file name";
        return address is not null && IsAddress(address) ? address : null;
    }

    private static bool IsAddress(string address) => FrozenSpecification.HashOf(address) is { } hash && IsName(address[(address.IndexOf(hash, StringComparison.Ordinal) + hash.Length + 1)..]);

    private static bool IsName(string name) =>
        name.Length is > 0 and <= MaxName && name is not ("." or "..") && name.IndexOfAny(['/', '\\']) < 0 && !name.Any(char.IsControl);
}
