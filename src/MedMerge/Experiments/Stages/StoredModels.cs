using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>The models of a stage's inputs, disposed together.</summary>
internal sealed class StoredModels : List<StateDict>, IDisposable
{
    public StoredModels(IEnumerable<StageOutput> outputs)
    {
        foreach (var output in outputs) Add(StageFiles.ReadTensors(output, StageFiles.Model));
    }

    public void Dispose() => ForEach(model => model.Dispose());
}
