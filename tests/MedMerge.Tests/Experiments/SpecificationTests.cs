using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Specifications;
using MedMerge.Testing;
using MedMerge.Training;

namespace MedMerge.Tests.Experiments;

public class SpecificationTests
{
    private const string Minimal = """
        target:
          data: phantom:lesions
        architecture: resnet20
        sources:
          - name: a
            pretrain: { data: 'phantom:cells' }
          - name: b
            pretrain: { data: 'phantom:vessels' }
        """;

    private const string Origin = "test.yaml";

    [Fact]
    public void Defaults_fill_what_is_left_out()
    {
        var read = Read(Minimal);

        Assert.Equal("resnet20", read.Architecture.Title);
        Assert.Equal([0UL], read.Seeds);
        Assert.Equal(0, read.Anchor);
        Assert.Equal(MethodRegistry.Names, read.Methods);
        Assert.Equal(new KernelWeightSettings(), read.Settings.KernelWeights);
        Assert.Equal(1 + 10 + 1 + 20, read.Settings.Budget);
    }

    [Fact]
    public void Every_error_is_told_at_once_with_its_line_and_the_nearest_key()
    {
        const string yaml = """
            taget:
              data: phantom:lesions
            architecture: resnet21
            sources:
              - name: a
                weigths: x.pt
              - name: a
                weights: missing.pt
                pretrain: { data: 'phantom:cell', epochs: many }
            anchor: c
            methods: [medmerge, fine-tunes]
            seeds: -1
            kernelWeights:
              epochs: 3
              batchSize: 10
              shards: 4
              anchorWeight: 0.5
            """;

        var message = GetError(yaml, "/data");

        string[] wanted =
        [
            Origin + " has 15 errors:",
            "line 1: there is no key 'taget'; did you mean 'target'?",
            "line 1: the key 'target' is missing",
            "line 3: There is no architecture 'resnet21'",
            "did you mean 'resnet20'?",
            "line 5: the source 'a' needs either 'weights' (a file) or 'pretrain' (a data set)",
            "line 6: in 'sources[0]' there is no key 'weigths'; did you mean 'weights'?",
            "line 7: the source 'a' needs either",
            "line 7: the source name 'a' is used twice",
            "line 8: 'sources[1].weights': there is no file 'missing.pt'; looked for /data/missing.pt",
            "line 9: there is no data set 'phantom:cell'",
            "line 9: 'sources[1].pretrain.epochs' is 'many'; it must be a whole number from 1 to 100000",
            "line 10: 'anchor' is 'c', which is no source",
            "line 11: there is no method 'fine-tunes'",
            "line 12: 'seeds' is '-1'",
            "line 16: 'kernelWeights.batchSize' (10) must be a multiple of 'kernelWeights.shards' (4)",
            "line 17: 'kernelWeights.anchorWeight' (0.5) must be above an equal share (1/2)",
        ];
        Assert.All(wanted, text => Assert.Contains(text, message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("parameterisation: clamped, entropyPenalty: 0.1", "'kernelWeights.entropyPenalty' needs shares")]
    [InlineData("parameterisation: sigmoid, entropyPenalty: 0.1, startPenalty: 2, granularity: layer", null)]
    public void Choices_that_do_not_go_together_are_named(string kernelWeights, string? error)
    {
        var yaml = $"{Minimal}\nkernelWeights: {{ {kernelWeights} }}";
        if (error is null) Read(yaml);
        else Assert.Contains(error, GetError(yaml), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rescaling: repair", "which leaves 'rescaling' 'repair' nothing to do")]
    [InlineData("kernelWeights: { batchSize: 8, shards: 8 }", "must have at least 2 for each of 'kernelWeights.shards' (8)")]
    [InlineData("kernelWeights: { batchSize: 8, shards: 4 }\nalignment: weights", null)]
    public void What_mixed_batch_norms_do_not_go_with_is_named(string more, string? error)
    {
        var yaml = $"{Minimal}\nbatchNorm: mix\n{more}";
        if (error is null) Read(yaml);
        else Assert.Contains(error, GetError(yaml), StringComparison.Ordinal);
    }

    [Fact]
    public void A_sigmoid_is_for_two_sources()
    {
        var third = "\n  - name: third\n    pretrain: { data: 'phantom:cells' }\n";
        var yaml = $"{Minimal.TrimEnd()}{third}kernelWeights: {{ parameterisation: sigmoid }}";
        const string message = "'kernelWeights.parameterisation' 'sigmoid' is for two sources; there are 3";
        Assert.Contains(message, GetError(yaml), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "must be one YAML mapping")]
    [InlineData("- a\n- b", "must be one YAML mapping")]
    [InlineData("a: [1", "is not valid YAML: line")]
    [InlineData("a: 1\nb: \"\\UFFFFFFFF\"", "is not valid YAML: line 2")]
    [InlineData("target: 3\narchitecture: resnet20\nsources: 4", "'target' must be a mapping")]
    [InlineData("a: 1\na: 2", "is not valid YAML: line 2")]
    [InlineData("a: 1\nb:\n  - c: 1\n\td: 2\n", "line 4: a tab stands in the indentation; YAML wants spaces")]
    [InlineData("a: 1\nb: 2 # \u0001\n", "line 2: it has the control character U+0001; remove it")]
    [InlineData("a: 1\r\n\0", "line 2: it has the control character U+0000; remove it")]
    [InlineData("a: x\nb:\n\tc: 1\n", "line 3: a tab stands in the indentation; YAML wants spaces")]
    [InlineData("a: 1\nb: [1, 2\nc: 3\n", "line 2: the list that begins here has no ']' where it should end")]
    [InlineData("a: 1\nb: [1\n", "line 2: the list that begins here has no ']' where it should end")]
    [InlineData("a: 1\nb: { c: 1\nd: 3\n", "line 2: the mapping that begins here has no '}' where it should end")]
    [InlineData("a: 1\nb: *c\n", "line 2: there is no anchor '&c' before")]
    [InlineData("target: { data: \"a\\0b\" }", "line 1: 'target.data' holds a NUL character")]
    public void What_is_no_specification_is_refused(string yaml, string reason) =>
        Assert.Contains(reason, GetError(yaml), StringComparison.Ordinal);

    [Theory]
    [InlineData("sources: []", "line 1: 'sources' has no entry; merging needs at least two")]
    [InlineData(
        "sources: [{ name: a, pretrain: { data: 'phantom:cells' } }]",
        "line 1: 'sources' has one entry; merging needs at least two")]
    [InlineData("seeds: [0, 0, 1]", "line 1: 'seeds' lists 0 twice")]
    [InlineData("seeds:\n - 1\n - 2\n - 01", "line 4: 'seeds' lists 1 twice, the second time as '01'")]
    [InlineData("seeds: []", "line 1: 'seeds' is an empty list")]
    [InlineData("methods: []", "line 1: 'methods' is an empty list")]
    [InlineData("copies: leave", "line 1: 'copies' is 'leave'; it must be 'note' or 'refuse'")]
    [InlineData("device: gpu", "line 1: 'device' is 'gpu'; it must be 'cpu', 'cuda:N' or 'cuda:N MODEL'")]
    [InlineData("device: 'cuda: 1'", "line 1: 'device' is 'cuda: 1'")]
    [InlineData(
        "target:\n  data: phantom:lesions\n  classes: 3",
        "line 3: the classes of phantom:lesions are fixed: leave 'target.classes' out")]
    [InlineData("target:\n  data: \"a\\0b.npz\"", "line 2: 'target.data' holds a NUL character")]
    [InlineData("target:\n  data: ''", "line 2: in 'target' the key 'data' is missing")]
    [InlineData("fineTune:\n  batchSize: 16\n  shards: 3", "line 3: 'fineTune.batchSize' (16) must be a multiple of 'fineTune.shards' (3)")]
    [InlineData(
        "fineTune:\n  batchSize: 4\n  shards: 4",
        "line 3: 'fineTune.batchSize' (4) must be a multiple of 'fineTune.shards' (4), with at least 2 images for each")]
    [InlineData("fineTune:\n  data: x", "line 2: in 'fineTune' there is no key 'data'")]
    [InlineData(
        "sources:\n - name: a\n   weights: \"\\0\"\n - name: b\n   pretrain: { data: 'phantom:cells', epochs: 0 }",
        "line 3: 'sources[0].weights' holds a NUL character")]
    [InlineData(
        "sources:\n - name: a\n   weights: ''\n - name: b\n   pretrain: { data: 'phantom:cells', epochs: 0 }",
        "line 5: 'sources[1].pretrain.epochs' is '0'; it must be a whole number from 1")]
    public void What_would_only_fail_later_is_refused_with_its_line(string yaml, string reason) =>
        Assert.Contains(reason, GetError(yaml, "/"), StringComparison.Ordinal);

    [Theory]
    [InlineData("prefix: teacher.", "teacher")]
    [InlineData("prefix: teacher", "teacher")]
    [InlineData("prefix: '.'", "")]
    [InlineData("", null)]
    public void A_prefix_chooses_a_model_in_a_weight_file(string line, string? expected)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Fixtures", "new.pt");
        var weights = $"{{ name: b, weights: '{path}', {line} }}";

        var read = Read(Minimal.Replace("name: b\n    pretrain: { data: 'phantom:vessels' }", $"{weights}", StringComparison.Ordinal));

        Assert.Equal(expected, read.Sources[1].Prefix);
        var json = FrozenSpecification.Write(read);
        Assert.Equal(expected, FrozenSpecification.Read(json).Sources[1].Prefix);
        // Specifications of earlier versions keep their ids.
        Assert.Equal(expected is not null, Encoding.UTF8.GetString(json).Contains("Prefix", StringComparison.Ordinal));
    }

    [Fact]
    public void A_prefix_without_a_weight_file_is_refused() =>
        Assert.Contains(
            "line 6: 'sources[0].prefix' chooses a model in a weight file; the source 'a' has none",
            GetError(Minimal.Replace("name: a", "name: a\n    prefix: x", StringComparison.Ordinal)),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("[")]
    [InlineData("{ a: ")]
    public void Nesting_without_end_is_refused_with_its_line(string opening)
    {
        var yaml = "name: x\ntarget: " + string.Concat(Enumerable.Repeat(opening, 10_000));

        Assert.Contains("is nested more than 50 levels deep: line 2", GetError(yaml), StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_by_lines_is_refused_too()
    {
        const int depth = 3000;
        var lines = Enumerable.Range(0, depth).Select(level => $"{new string(' ', level)}a:\n");
        var yaml = string.Concat(lines) + new string(' ', depth) + "a: 1";

        Assert.Contains("levels deep: line 51", GetError(yaml), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("target: &t { data: *t }", "line 1: 'target.data' must be a text")]
    [InlineData("seeds: &s [*s]", "line 1: 'seeds'")]
    [InlineData("sources: &s [*s]", "line 1: 'sources[0]' must be a mapping")]
    [InlineData("name: &n [*n]", "line 1: 'name' must be a text")]
    [InlineData("&r name: *r", "has 3 errors")]
    [InlineData("? &k [*k]\n: 1", "has a key that is no text: line 1")]
    [InlineData("name: &n [x]\n? *n\n: 1", "has a key that is no text: line 2")]
    [InlineData("? { a: 1 }\n: 1", "has a key that is no text: line 1")]
    public void Aliases_to_what_holds_them_do_no_harm(string yaml, string reason) =>
        Assert.Contains(reason, GetError(yaml), StringComparison.Ordinal);

    [Fact]
    public void Aliases_may_repeat_a_part()
    {
        var yaml = Minimal
            .Replace("{ data: 'phantom:cells' }", "&p { data: 'phantom:cells' }", StringComparison.Ordinal)
            .Replace("{ data: 'phantom:vessels' }", "*p", StringComparison.Ordinal);

        Assert.Equal(["a", "b"], Read(yaml).Sources.Select(source => source.Name));
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("a/b")]
    [InlineData("a=b")]
    [InlineData(".hidden")]
    public void A_source_name_that_could_leave_its_folder_is_refused(string name)
    {
        var yaml = Minimal.Replace("name: a", $"name: '{name}'", StringComparison.Ordinal);

        Assert.Contains("line 5: the source name", GetError(yaml), StringComparison.Ordinal);
    }

    [Fact]
    public void Seeds_are_a_count_or_a_list()
    {
        Assert.Equal([0UL, 1UL, 2UL], Read(Minimal + "\nseeds: 3").Seeds);
        Assert.Equal([7UL, 3UL], Read(Minimal + "\nseeds: [7, 3]").Seeds);
    }

    [Fact]
    public void The_old_name_of_a_key_is_refused_with_the_new_one()
    {
        var message = GetError(Minimal + "\nweights: { epochs: 3 }");

        Assert.Contains("line 9: 'weights' is now called 'kernelWeights'", message, StringComparison.Ordinal);
    }

    /// <summary>
    /// Every key of the schema is one that the reader knows: a document with all of them has no unknown key but the ones put there.
    /// </summary>
    [Fact]
    public void The_reader_knows_every_key_of_the_schema()
    {
        using var schema = JsonDocument.Parse(SpecificationSchema.Write());
        var top = schema.RootElement.GetProperty("properties");
        var source = top.GetProperty("sources").GetProperty("items").GetProperty("properties");
        string[] maps = ["target", "kernelWeights", "fineTune"];
        var yaml = WriteKeys("", top, except: [.. maps, "sources", "targets"])
                   + string.Concat(maps.Select(name => $"{name}:\n{WriteKeys("  ", top.GetProperty(name).GetProperty("properties"))}"))
                   + $"sources:\n  - name: x\n{WriteKeys("    ", source, except: ["name", "pretrain"])}"
                   + $"    pretrain:\n{WriteKeys("      ", source.GetProperty("pretrain").GetProperty("properties"))}";

        var lines = GetError(yaml).Split('\n');

        var unknown = lines.Where(line => line.Contains("there is no key", StringComparison.Ordinal)).ToList();
        Assert.Equal(6, unknown.Count);
        Assert.All(unknown, line => Assert.Contains("there is no key 'unknown'", line, StringComparison.Ordinal));

        static string WriteKeys(string indent, JsonElement properties, params string[] except)
        {
            var keys = properties.EnumerateObject().Select(property => property.Name).Except(except).Append("unknown");
            return string.Concat(keys.Select(key => $"{indent}{key}: x\n"));
        }
    }

    [Fact]
    public void A_text_that_is_being_written_is_checked_and_the_files_that_it_lacks_are_named()
    {
        const string Yaml = """
            target: { data: 'phantom:lesions' }
            architecture: resnet20
            sources:
              - { name: a, weights: a.safetensors }
              - { name: b, pretrain: { data: 'phantom:vessels' } }
            seeds: many
            """;
        var check = SpecificationReader.CheckUploaded(Yaml, "it", new Dictionary<string, string>());
        Assert.Equal(["a.safetensors"], check.Files);
        Assert.Contains("line 4: ", check.Problem, StringComparison.Ordinal);
        Assert.Contains("line 6: ", check.Problem, StringComparison.Ordinal);
        Assert.Equal([4, 6], check.Lines);

        var sent = new Dictionary<string, string> { ["a.safetensors"] = $"sha256:{new string('0', 64)}/a.safetensors" };
        check = SpecificationReader.CheckUploaded(Yaml.Replace("many", "2", StringComparison.Ordinal), "it", sent);
        Assert.Equal(["a.safetensors"], check.Files);
        Assert.Null(check.Problem);
    }

    [Fact]
    public void Every_setting_can_be_read_and_comes_back_as_it_was_written()
    {
        foreach (var setting in SettingTable.All)
        {
            var text = ChooseValue(setting);
            var keys = setting.Path.Split('.');
            var yaml = keys is [var group, var key] ? $"{group}: {{ {key}: '{text}' }}" : $"{keys[0]}: '{text}'";

            var read = Read($"{Minimal}\n{yaml}");

            Assert.Equal(text, setting.GetValue(read.Settings)!.ToString());
            var defaults = new ScenarioSettings();
            Assert.Equal(text, setting.GetValue(setting.With(defaults, text, out var problem))!.ToString());
            Assert.Null(problem);
            Assert.Equal(defaults, setting.With(defaults, "?", out problem));
            Assert.NotNull(problem);
        }
    }

    /// <summary>A value that is not the default and fits the other settings' defaults.</summary>
    [Fact]
    public void Every_example_is_read()
    {
        _ = RealData.File(""); // examples name real images
        var examples = Directory.GetFiles(Repository.PathTo("examples"), "*.yaml");
        Assert.True(examples.Length > 5);
        Assert.All(examples, example => Assert.NotEmpty(SpecificationReader.ReadFile(example).GetPoints()));
    }

    private static string ChooseValue(Setting<ScenarioSettings> setting) => setting.Path switch
    {
        "kernelWeights.anchorWeight" => "0.75",
        "equivalenceMargin" => "0.25",
        "layersFrom" => "conv1=a",
        "augmentation" => "shift, rotate 5",
        "fineTune.batchSize" or "kernelWeights.batchSize" => "8",
        _ => setting.CreateSchema() switch
        {
            var schema when schema["enum"] is JsonArray words => words[^1]!.ToString(),
            var schema when schema["type"]!.ToString() == "string" => "cuda:1",
            _ => "1",
        },
    };

    private static Specification Read(string yaml, params string[] folders) => SpecificationReader.Read(yaml, Origin, folders);

    private static string GetError(string yaml, params string[] folders) =>
        Assert.ThrowsAny<InputException>(() => Read(yaml, folders)).Message;
}
