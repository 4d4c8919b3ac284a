namespace MedMerge.Experiments.Specifications;

/// <summary>Finds the files and folders that a specification names.</summary>
internal interface ISpecificationFiles
{
    /// <summary>Finds the location of a file or folder; null, with the problem, if there is none.</summary>
    /// <param name="path">The path as written.</param>
    string? Find(string path, bool isFolder, out string problem);
}

/// <summary>Files and folders on this machine.</summary>
/// <param name="folders">Where relative paths are looked up, in order.</param>
internal sealed class LocalFiles(IReadOnlyList<string> folders) : ISpecificationFiles
{
    private readonly Dictionary<string, string> _found = [];

    /// <summary>The locations that were found, by the path as written.</summary>
    public IReadOnlyDictionary<string, string> Found => _found;

    public string? Find(string path, bool isFolder, out string problem)
    {
        var isAbsolute = Path.IsPathRooted(path);
        List<string> candidates = isAbsolute ? [path] : [.. folders.Select(folder => Path.GetFullPath(Path.Combine(folder, path)))];
        var isDataFolderSet = Environment.GetEnvironmentVariable("MEDMERGE_DATA") is { Length: > 0 };
        var hint = isAbsolute || isDataFolderSet ? "" : " (MEDMERGE_DATA is not set)";
        problem = $"there is no {(isFolder ? "folder" : "file")} '{path}'; looked for {string.Join(" and ", candidates)}{hint}";
        Func<string, bool> exists = isFolder ? Directory.Exists : File.Exists;
        if (candidates.FirstOrDefault(exists) is not { } found) return null;
        _found[path] = found;
        return found;
    }
}

/// <summary>
/// Uploaded files, named by their content. Paths in an uploaded specification mean nothing on this machine and are
/// never opened.
/// </summary>
/// <param name="sent">Addresses <c>sha256:HASH/NAME</c> by the path as written.</param>
internal sealed class UploadedFiles(IReadOnlyDictionary<string, string> uploaded) : ISpecificationFiles
{
    private const int MaxName = 255;
    private readonly List<string> _named = [];

    /// <summary>The paths that were looked for, uploaded or not, each once; names of what is drawn are among them.</summary>
    public IReadOnlyList<string> Named => _named;

    /// <summary>What is said of a file that was not uploaded.</summary>
    public static string DescribeMissing(string path) => $"the file '{path}' was not uploaded";

    public string? Find(string path, bool isFolder, out string problem)
    {
        if (!isFolder && !_named.Contains(path)) _named.Add(path);
        if (isFolder)
        {
            problem = $"'{path}' is a folder, and folders can't be uploaded to a gateway: make a .zip of it, or `medmerge data pack` it";
            return null;
        }
        var address = FrozenSpecification.HashOf(path) is null ? uploaded.GetValueOrDefault(path) : path;
        if (address is null)
        {
            problem = DescribeMissing(path);
            return null;
        }
        problem = $"the file '{path}' was uploaded as '{address}', which is not sha256:HASH/NAME with a plain file name";
        return IsAddress(address) ? address : null;
    }

    private static bool IsAddress(string address)
    {
        if (FrozenSpecification.HashOf(address) is not { } hash) return false;
        var start = address.IndexOf(hash, StringComparison.Ordinal) + hash.Length + 1;
        return IsFileName(address[start..]);
    }

    private static bool IsFileName(string name)
    {
        if (name.Length is 0 or > MaxName) return false;
        if (name is "." or "..") return false;
        return name.IndexOfAny(['/', '\\']) < 0 && !name.Any(char.IsControl);
    }
}
