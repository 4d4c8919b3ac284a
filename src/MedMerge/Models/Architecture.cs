using System.Collections.Concurrent;
using MedMerge.Data;
using MedMerge.Models.Graphs;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models;

/// <summary>What other code bases call a part of the same network.</summary>
/// <param name="Ours">A piece of this architecture's names.</param>
/// <param name="Theirs">The piece in its place in other files.</param>
internal readonly record struct KeyAlias(string Ours, string Theirs);

/// <summary>
/// A network's structure, without parameters: its layers, and one graph over them. So the form with batch norm, the folded form and the
/// weighted-features form are the same network by construction, and so are the channels that alignment permutes and what ONNX gets.
/// </summary>
internal abstract class Architecture
{
    private const int MaxChannels = 65536;
    private readonly ConcurrentDictionary<(int Height, int Width), long> _activations = new();
    private readonly string[] _backbonePrefixes;
    private readonly Lazy<NetworkGraph> _graph;

    /// <param name="name">The name a specification uses.</param>
    /// <param name="width">Multiplies every layer's channels.</param>
    /// <param name="classifier">The classifier's name in the state dictionary.</param>
    /// <param name="layers">In the state dictionary's order.</param>
    protected Architecture(string name, double width, string classifier, IReadOnlyList<Layer> layers)
    {
        Name = name;
        Width = width;
        Classifier = classifier;
        Layers = layers;
        Filters = layers.Sum(layer => layer.Out);
        _graph = new Lazy<NetworkGraph>(() =>
        {
            var builder = new GraphBuilder();
            Build(builder);
            return builder.Build();
        });
        _backbonePrefixes = [.. layers.SelectMany(layer => layer.Tensors).Select(tensor => KindOf(tensor.Name)).Distinct()];
    }

    /// <summary>The name a specification uses.</summary>
    public string Name { get; }

    /// <summary>Multiplies every layer's channels.</summary>
    public double Width { get; }

    /// <summary>The classifier's name in the state dictionary.</summary>
    public string Classifier { get; }

    /// <summary>The layers, in the state dictionary's order.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    /// <summary>The layers' batch norms, in the same order.</summary>
    public IEnumerable<BatchNorm> Norms => Layers.Select(layer => layer.Norm).OfType<BatchNorm>();

    /// <summary>The classifier's inputs.</summary>
    public int Features => Layers[^1].Out;

    /// <summary>How the layers are connected.</summary>
    public NetworkGraph Graph => _graph.Value;

    /// <summary>Filters over all layers, the length of one source's kernel weights.</summary>
    public int Filters { get; }

    /// <summary>The shortest side of an image that <see cref="Forward"/> takes, in pixels.</summary>
    public virtual int MinSide => 1;

    /// <summary>Other names under which files may have the architecture's tensors.</summary>
    public virtual IReadOnlyList<KeyAlias> KeyAliases => [];

    /// <summary>Python that makes the network in PyTorch; null where there is no short one.</summary>
    public virtual PyTorchCode? PyTorch => null;

    /// <summary>Name and width, as shown to people.</summary>
    public string Title => Width == 1 ? Name : FormattableString.Invariant($"{Name} (width {Width})");

    /// <summary>Checks that the network takes a data set's images.</summary>
    /// <exception cref="InputException">They are too small.</exception>
    public void Check(ImageDataset data)
    {
        if (data.Height >= MinSide && data.Width >= MinSide) return;
        throw new InputException(
            $"{Title} needs images of at least {MinSide} × {MinSide} pixels; those of {data.Name} have {data.Height} × {data.Width}.");
    }

    /// <summary>The features before the classifier, [batch, <see cref="Features"/>], from images [batch, 3, height, width].</summary>
    /// <inheritdoc cref="NetworkGraph.Run" path="/param" />
    public Tensor Forward(Tensor images, LayerFunction apply) => Graph.Run(images, apply);

    /// <summary>The numbers that all layers give for one image: what a backward pass needs is a small multiple of them.</summary>
    /// <remarks>Device thread only.</remarks>
    public long CountActivations(int height, int width) => _activations.GetOrAdd((height, width), size =>
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var count = 0L;
        Forward(zeros(1, 3, size.Height, size.Width), (layer, input) =>
        {
            var output = Layers[layer].Apply(input, zeros(Layers[layer].Shape), bias: null);
            count += output.numel();
            return output;
        });
        return count;
    });

    /// <summary>
    /// Whether a name looks like one of such a network's layers: its first word, without a number at its end, is that of a layer here. So
    /// <c>layer4.0.conv1.weight</c> shows a deeper network than this one, while a projection head may be in the file too.
    /// </summary>
    public bool IsBackbone(string name) =>
        !name.StartsWith(Classifier + ".", StringComparison.Ordinal)
        && _backbonePrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>A model drawn by seed: layers as <see cref="Layer.Initialise"/> says, the classifier zero.</summary>
    public StateDict Initialise(ulong seed, int classes)
    {
        var random = new RandomStream(seed, StreamKeys.Initialisation);
        var model = new StateDict();
        foreach (var layer in Layers)
        {
            using var layerScope = NewDisposeScope();
            layer.Initialise(model, random);
        }
        using var scope = NewDisposeScope();
        model.Add(Classifier + ".weight", zeros(classes, Features));
        model.Add(Classifier + ".bias", zeros(classes));
        return model;
    }

    /// <summary>A layer's channels at a width.</summary>
    /// <exception cref="InputException">They would be no whole number.</exception>
    protected static int ScaleChannels(int channels, double width)
    {
        var scaled = channels * width;
        return scaled >= 1 && scaled <= MaxChannels && scaled == Math.Floor(scaled)
            ? (int)scaled
            : throw new InputException(FormattableString.Invariant(
                $"width {width} turns {channels} channels into {scaled}; it must give whole numbers of at least 1."));
    }

    /// <summary>Connects the layers; the last operation gives the features.</summary>
    protected abstract void Build(GraphBuilder graph);

    private static string KindOf(string name) => name.Split('.')[0].TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
}
