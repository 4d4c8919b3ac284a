using System.Text.RegularExpressions;

namespace MedMerge.Storage;

/// <summary>
/// Names of objects: path segments of letters, digits, '.', '-' and '_', none of which starts with a dot.
/// </summary>
public static partial class ObjectName
{
    /// <summary>Whether it is one.</summary>
    public static bool IsOne(string name) => Pattern().IsMatch(name);

    /// <summary>The name, where it is one.</summary>
    /// <exception cref="ArgumentException">It is not; so no name leaves the store.</exception>
    public static string Checked(string name) =>
        IsOne(name) ? name : throw new ArgumentException($"'{name}' is not an object's name.", nameof(name));

    [GeneratedRegex(@"\A[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\z")]
    private static partial Regex Pattern();
}
