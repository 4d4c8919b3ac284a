using MedMerge.Experiments.Planning;

namespace MedMerge.Experiments.Methods;

/// <summary>
/// A way to come from source models to predictions on the target. Nothing else switches on which method it is; adding one is a class and a
/// line in <see cref="MethodRegistry"/>.
/// </summary>
public interface IMethod
{
    /// <summary>Its name in specifications, tables and files: <c>fine-tune</c>.</summary>
    string Name { get; }

    /// <summary>Its part in the comparison.</summary>
    MethodRole Role { get; }

    /// <summary>What it is called within a sentence: <c>untrained partner</c>.</summary>
    string Noun => Name;

    /// <summary>Whether beating this control shows that what helps was learned by the partner.</summary>
    bool IsolatesTransfer => false;

    /// <summary>Its rows in a scenario's table: one, or one for each source.</summary>
    IEnumerable<MethodRow> GetRows(Scenario scenario) => [new MethodRow(this, Source: null)];

    /// <summary>
    /// The stages of one trial. All stages together make <see cref="Scenario.Budget"/> passes over the training images, so that every method
    /// sees them equally often.
    /// </summary>
    /// <param name="row">One of <see cref="GetRows"/>.</param>
    TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed);
}

/// <summary>A row of the comparison: a method, and the source where the method has a row for each.</summary>
public sealed record MethodRow(IMethod Method, string? Source)
{
    /// <summary>As shown in tables and used in file names: <c>fine-tune chest</c>.</summary>
    public string Title => Source is null ? Method.Name : $"{Method.Name} {Source}";

    /// <summary>The method's part in the comparison.</summary>
    public MethodRole Role => Method.Role;
}
