using MedMerge.Merging;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>The prepared sources among a stage's inputs, to be disposed together.</summary>
internal sealed class PreparedSources : List<PreparedSource>, IDisposable
{
    public PreparedSources(IEnumerable<StageOutput> outputs)
    {
        foreach (var output in outputs) Add(new PreparedSource("", Safetensors.Read(output[StageFiles.Prepared], "an artefact").Tensors));
    }

    public void Dispose() => ForEach(source => source.Dispose());
}
