using System.Globalization;
using System.Text.RegularExpressions;

namespace MedMerge.Experiments.Specifications;

/// <summary>The errors of a specification with their lines.</summary>
internal sealed partial class SpecificationErrors
{
    private const int MaxShown = 100;
    private readonly List<(int? Line, string Message)> _errors = [];

    /// <summary>Number of errors.</summary>
    public int Count => _errors.Count;

    /// <summary>Records an error.</summary>
    /// <param name="line">Its line, from 1; null where it has none.</param>
    public void Add(int? line, string message) => _errors.Add((line, message));

    /// <summary>The lines that a message about a specification names, also one of the YAML parser.</summary>
    public static IReadOnlyList<int> FindLines(string message) =>
        [.. LineNumber().Matches(message).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).Distinct()];

    /// <summary>Throws an exception that lists all errors, if there are any.</summary>
    /// <exception cref="InputException">There are errors.</exception>
    public void ThrowIfAny(string origin)
    {
        if (_errors.Count > 0) throw new InputException(Describe(origin));
    }

    /// <summary>Lists all errors by line.</summary>
    public string Describe(string origin)
    {
        var lines = _errors
            .OrderBy(error => error.Line ?? int.MaxValue)
            .Take(MaxShown)
            .Select(error => error.Line is { } line ? $"  line {line}: {error.Message}" : $"  {error.Message}")
            .ToList();
        if (_errors.Count > MaxShown) lines.Add($"  and {_errors.Count - MaxShown} more");
        var noun = _errors.Count == 1 ? "error" : "errors";
        return $"{origin} has {_errors.Count} {noun}:\n{string.Join('\n', lines)}";
    }

    [GeneratedRegex(@"\bline (\d{1,7}):")]
    private static partial Regex LineNumber();
}
