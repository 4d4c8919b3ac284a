namespace MedMerge.Experiments.Methods;

/// <summary>Every method there is.</summary>
public static class MethodRegistry
{
    /// <summary>In the order that tables show them.</summary>
    public static IReadOnlyList<IMethod> All { get; } =
    [
        new MedMergeMethod(),
        new AverageMethod(),
        new FineTuneMethod(),
        new LpFtMethod(),
        new ScratchMethod(),
        new UntrainedPartnerMethod(),
        new SelfScaleMethod(),
    ];

    /// <summary>Their names, in the same order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(method => method.Name)];

    /// <summary>The method that the verdict speaks of.</summary>
    public static IMethod Proposed { get; } = All.First(method => method.Role == MethodRole.Proposed);

    /// <summary>The method of a name.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static IMethod Get(string name) =>
        All.FirstOrDefault(method => method.Name == name)
        ?? throw new InputException($"There is no method '{name}'; there are {string.Join(", ", Names)}.");
}
