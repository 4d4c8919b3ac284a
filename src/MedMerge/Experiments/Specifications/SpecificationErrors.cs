namespace MedMerge.Experiments.Specifications;

/// <summary>All that is wrong with a specification, line by line.</summary>
public sealed class SpecificationErrors
{
    private const int Shown = 100;
    private readonly List<(int Line, string Message)> _errors = [];

    /// <summary>How many there are.</summary>
    public int Count => _errors.Count;

    /// <summary>Notes an error.</summary>
    /// <param name="line">From 1.</param>
    public void Add(int line, string message) => _errors.Add((line, message));

    /// <summary>Throws one exception that lists them all, where there are any.</summary>
    /// <exception cref="InputException">There are errors.</exception>
    public void ThrowIfAny(string origin)
    {
        if (_errors.Count == 0) return;
        var lines = _errors.OrderBy(error => error.Line).Take(Shown).Select(error => $"  line {error.Line}: {error.Message}").ToList();
        if (_errors.Count > Shown) lines.Add($"  and {_errors.Count - Shown} more");
        throw new InputException($"{origin} has {_errors.Count} error{(_errors.Count == 1 ? "" : "s")}:\n{string.Join('\n', lines)}");
    }
}
