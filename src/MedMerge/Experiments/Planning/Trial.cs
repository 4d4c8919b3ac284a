using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Planning;

/// <summary>One method with one seed on one scenario: stages that end in predictions.</summary>
/// <param name="Number">From 1, in the order that trials run.</param>
internal sealed record Trial(int Number, Scenario Scenario, MethodRow Method, ulong Seed, TrialStages Parts)
{
    /// <summary>The last stage, which computes the predictions.</summary>
    public Stage Predictions => Parts.Predictions;

    /// <summary>All stages, each once, inputs first.</summary>
    public IReadOnlyList<Stage> Stages { get; } = SortByInputs([.. Parts.Rungs, Parts.Predictions]);

    /// <summary>The stages up to a rung of a search, each once, inputs first.</summary>
    /// <param name="rung">From 0; the one after the last is the end.</param>
    public IReadOnlyList<Stage> GetStages(int rung) => rung < Parts.Rungs.Count ? SortByInputs([Parts.Rungs[rung]]) : Stages;

    /// <summary>Finds the exported file with a role.</summary>
    public TrialOutput? FindOutput(OutputRole role) => Parts.Outputs.FirstOrDefault(output => output.Role == role);

    private static List<Stage> SortByInputs(IEnumerable<Stage> last)
    {
        var ordered = new List<Stage>();
        var visited = new HashSet<string>();
        foreach (var stage in last) Visit(stage);
        return ordered;

        void Visit(Stage stage)
        {
            if (!visited.Add(stage.Key)) return;
            foreach (var input in stage.Inputs) Visit(input);
            ordered.Add(stage);
        }
    }
}
