using MedMerge.Training;

namespace MedMerge.Experiments.Methods;

/// <summary>All methods.</summary>
internal static class MethodRegistry
{
    private static readonly List<IMethod> Methods =
    [
        new MedMergeMethod(),
        new AverageMethod(),
        new AlignedAverageMethod(),
        new SoupMethod(SoupRecipe.Uniform),
        new SoupMethod(SoupRecipe.Greedy),
        new SoupMethod(SoupRecipe.Learned),
        new FisherMethod(),
        new FineTuneMethod(),
        new LpFtMethod(),
        new WiseFtMethod(),
        new RestoredMethod(),
        new ScratchMethod(),
        new EnsembleMethod(),
        new UntrainedPartnerMethod(),
        new ScrambledPartnerMethod(),
        new JitteredPartnerMethod(),
        new SelfScaleMethod(),
    ];

    /// <summary>All methods, in the order of tables.</summary>
    public static IReadOnlyList<IMethod> All => Methods;

    /// <summary>The names of all methods, in the same order.</summary>
    public static IReadOnlyList<string> Names => [.. All.Select(method => method.Name)];

    /// <summary>The method that the verdict is about.</summary>
    public static IMethod Proposed { get; } = All.First(method => method.Role == MethodRole.Proposed);

    /// <summary>
    /// Adds a method that this process alone has, at its start: benchmarks measure the cluster with one that computes nothing.
    /// </summary>
    public static void Add(IMethod method) => Methods.Add(method);

    /// <summary>Gets a method by name.</summary>
    /// <exception cref="InputException">There is no method with this name.</exception>
    public static IMethod Get(string name) =>
        All.FirstOrDefault(method => method.Name == name)
        ?? throw new InputException($"There is no method '{name}'; there are {string.Join(", ", Names)}.");
}
