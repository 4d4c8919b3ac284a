using MedMerge.Tensors;

namespace MedMerge.Merging.Files;

/// <summary>Checks that weight files hold the same tensors.</summary>
internal static class FileAgreement
{
    private const int MaxShown = 8;

    /// <exception cref="InputException">Names every file that differs from the first, and what differs.</exception>
    public static void Check(IReadOnlyList<ModelFile> files, IReadOnlyList<string> paths)
    {
        var problems = new List<string>();
        var unread = files[0].Tensors.Where(tensor => tensor.OpenValues is null).Select(DescribeUnread).ToList();
        if (unread.Count > 0) problems.Add($"'{paths[0]}' can't be used: {Show(unread)}");
        for (var i = 1; i < files.Count; i++)
        {
            var differences = Compare(files[0], files[i]).ToList();
            if (differences.Count > 0) problems.Add($"'{paths[i]}' differs from '{paths[0]}': {Show(differences)}");
        }
        if (problems.Count > 0) throw new InputException($"The files hold different tensors. {string.Join("; ", problems)}.");
    }

    private static IEnumerable<string> Compare(ModelFile first, ModelFile other)
    {
        foreach (var wanted in first.Tensors)
        {
            var name = wanted.Name;
            if (other.Find(name) is not { } found) yield return $"'{name}' is missing";
            else if (found.OpenValues is null) yield return DescribeUnread(found);
            else if (!found.Shape.SequenceEqual(wanted.Shape)) yield return $"'{name}' is {Show(found.Shape)}, not {Show(wanted.Shape)}";
            else if (found.IsFloat != wanted.IsFloat) yield return $"'{name}' is {found.Type}, not {wanted.Type}";
        }
        foreach (var added in other.Tensors.Where(tensor => !first.Contains(tensor.Name)))
            yield return $"'{added.Name}' is only there";
    }

    private static string DescribeUnread(StoredTensor tensor) => $"'{tensor.Name}' has the type {tensor.Type}, which is not read";

    private static string Show(IReadOnlyList<long> shape) => $"[{string.Join(", ", shape)}]";

    private static string Show(List<string> items)
    {
        var shown = string.Join(", ", items.Take(MaxShown));
        return items.Count > MaxShown ? $"{shown}, and {items.Count - MaxShown} more" : shown;
    }
}
