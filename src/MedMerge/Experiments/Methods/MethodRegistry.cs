namespace MedMerge.Experiments.Methods;

/// <summary>All methods.</summary>
internal static class MethodRegistry
{
    /// <summary>All methods, in the order of tables.</summary>
    public static IReadOnlyList<IMethod> All { get; } =
    [
        new MedMergeMethod(),
        new AverageMethod(),
        new FineTuneMethod(),
        new LpFtMethod(),
        new RestoredMethod(),
        new ScratchMethod(),
        new UntrainedPartnerMethod(),
        new ScrambledPartnerMethod(),
        new SelfScaleMethod(),
    ];

    /// <summary>The names of all methods, in the same order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(method => method.Name)];

    /// <summary>The method that the verdict is about.</summary>
    public static IMethod Proposed { get; } = All.First(method => method.Role == MethodRole.Proposed);

    /// <summary>Gets a method by name.</summary>
    /// <exception cref="InputException">There is no method with this name.</exception>
    public static IMethod Get(string name) =>
        All.FirstOrDefault(method => method.Name == name)
        ?? throw new InputException($"There is no method '{name}'; there are {string.Join(", ", Names)}.");
}
