using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Running;
using MedMerge.Storage;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Tests.Running;

/// <summary>Inputs are read once per node; a stage's own output is looked for in the store.</summary>
public sealed class StageViewTests : IDisposable
{
    private static readonly StageOutput Output = new(new Dictionary<string, byte[]> { ["model"] = [1, 2, 3] });
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-view-").FullName;
    private readonly FolderObjectStore _objects;
    private readonly StageStore _store;
    private readonly OutputCache _outputs;

    public StageViewTests()
    {
        _objects = new FolderObjectStore(_folder);
        _store = new StageStore(_objects);
        _outputs = new OutputCache(_store, Options.Create(new NodeOptions()));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_input_is_read_from_the_store_once()
    {
        await _store.SaveAsync("input", "prepare", Output, Cancellation);
        var first = await new StageView("a", _store, _outputs).FindAsync("input", Cancellation);
        Directory.Delete(Path.Combine(_folder, "artefacts"), recursive: true);
        var second = await new StageView("b", _store, _outputs).FindAsync("input", Cancellation);
        Assert.NotNull(first);
        Assert.Same(first, second);
    }

    [Fact]
    public async Task What_a_stage_has_saved_is_here_for_the_next()
    {
        await new StageView("a", _store, _outputs).SaveAsync("a", "prepare", Output, Cancellation);
        Assert.Same(Output, await new StageView("b", _store, _outputs).FindAsync("a", Cancellation));
        Assert.NotNull(await _store.FindAsync("a", Cancellation));
    }

    [Fact]
    public async Task A_stage_whose_output_was_lost_in_the_store_is_computed_again()
    {
        var view = new StageView("a", _store, _outputs);
        await view.SaveAsync("a", "prepare", Output, Cancellation);
        await _store.ForgetAsync("a", Cancellation);
        Assert.Null(await view.FindAsync("a", Cancellation));
    }
}
