using MedMerge.Experiments.Planning;

namespace MedMerge.Experiments.Methods;

/// <summary>
/// A way to get from source models to predictions on the target. No other code depends on a particular method; adding
/// one takes a class and a line in <see cref="MethodRegistry"/>.
/// </summary>
internal interface IMethod
{
    /// <summary>Its name in specifications, tables and files: <c>fine-tune</c>.</summary>
    string Name { get; }

    /// <summary>Its role in the comparison.</summary>
    MethodRole Role { get; }

    /// <summary>Its name within a sentence: <c>untrained partner</c>.</summary>
    string Noun => Name;

    /// <summary>Whether beating this control shows that the gain comes from what the partner has learned.</summary>
    bool IsolatesTransfer => false;

    /// <summary>Whether beating this baseline shows that learning the kernel weights adds something.</summary>
    bool IsolatesLearning => false;

    /// <summary>Its rows in a scenario's table: one, or one for each source.</summary>
    IEnumerable<MethodRow> GetRows(Scenario scenario) => [new MethodRow(this, Source: null)];

    /// <summary>
    /// Passes over the training images that a trial makes, over all stages. All methods see the images equally often, but for those that
    /// combine several fine-tuned models; tables show theirs.
    /// </summary>
    /// <param name="budget">The passes of all others.</param>
    /// <param name="sources">The number of sources.</param>
    int GetPasses(int budget, int sources) => budget;

    /// <summary>Creates the stages of one trial.</summary>
    /// <param name="row">One of <see cref="GetRows"/>.</param>
    TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed);
}

/// <summary>A row of the comparison: a method, and its source if the method has a row for each.</summary>
internal sealed record MethodRow(IMethod Method, string? Source)
{
    /// <summary>As shown in tables and used in file names: <c>fine-tune chest</c>.</summary>
    public string Title => Source is null ? Method.Name : $"{Method.Name} {Source}";

    /// <summary>The method's role in the comparison.</summary>
    public MethodRole Role => Method.Role;
}
