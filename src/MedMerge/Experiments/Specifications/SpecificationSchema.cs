using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Experiments.Methods;
using MedMerge.Models;

namespace MedMerge.Experiments.Specifications;

/// <summary>The JSON schema of specifications, for editors: <c>examples/specification.schema.json</c>.</summary>
internal static class SpecificationSchema
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes the schema as JSON.</summary>
    public static string Write() => Create().ToJsonString(Indented) + "\n";

    private static JsonObject Create() => new()
    {
        ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
        ["title"] = "MedMerge specification",
        ["type"] = "object",
        ["additionalProperties"] = false,
        ["required"] = new JsonArray("architecture", "sources"),
        ["oneOf"] = new JsonArray(
            new JsonObject { ["required"] = new JsonArray("target") },
            new JsonObject { ["required"] = new JsonArray("targets") }),
        ["properties"] = CreateTopLevel(),
    };

    private static JsonObject CreateTopLevel()
    {
        var properties = new JsonObject
        {
            ["name"] = DescribeText("Shown in tables and file names."),
            ["target"] = CreateObject(["data"], CreateDataset()),
            ["targets"] = CreateArrayOf(CreateTarget(), minItems: 1),
            ["architecture"] = new JsonObject { ["enum"] = CreateArray(Architectures.Names) },
            ["width"] = new JsonObject
            {
                ["type"] = "number",
                ["default"] = 1,
                ["description"] = "Multiplies the channels of every layer.",
            },
            ["sources"] = CreateArrayOf(CreateSource(), minItems: 2),
            ["sourceSets"] = new JsonObject
            {
                ["description"] =
                    "Which sources are merged together; each set is a scenario. With an anchor by name, only sets that hold it.",
                ["oneOf"] = new JsonArray(
                    new JsonObject { ["enum"] = CreateArray(["all", "pairs"]) },
                    CreateObject(["upTo"], new JsonObject { ["upTo"] = DescribeWhole(2) }),
                    CreateArrayOf(CreateArrayOf(DescribeText("A source's name."), minItems: 2), minItems: 1)),
            },
            ["vary"] = CreateVary(),
            ["exclude"] = CreateArrayOf(
                new JsonObject { ["type"] = "object", ["minProperties"] = 1 },
                minItems: 1,
                "Scenarios to leave out: those that have one of the named targets, all of the named sources and the named values."),
            [SearchReader.Key] = CreateSearch(),
            ["trainedOnTarget"] = new JsonObject
            {
                ["enum"] = CreateArray(["note", "leave-out"]),
                ["default"] = "note",
                ["description"] = "What happens to a scenario with a source that was pretrained on its target's own data.",
            },
            [Specification.CopiesKey] = new JsonObject
            {
                ["enum"] = CreateArray(["note", "refuse"]),
                ["default"] = "note",
                ["description"] = "What happens where a model is trained on copies, exact or near, of validation or test images, or on " +
                    "images of their groups, such as patients.",
            },
            ["anchor"] = DescribeText(
                "The source that the kernel weights start from, or 'best-probe' for the one with the best linear probe on the target's " +
                "validation split, as where it is left out."),
            ["methods"] = CreateMethods(),
            ["seeds"] = new JsonObject
            {
                ["description"] = "A count (0 to n − 1) or a list.",
                ["oneOf"] = new JsonArray(DescribeWhole(1), CreateArrayOf(DescribeWhole(0), minItems: 1)),
            },
            ["parallel"] = DescribeWhole(
                1,
                "Trials at a time over the whole cluster; one for each lane where it is left out. No number depends on it."),
            ["priority"] = new JsonObject
            {
                ["type"] = "integer",
                ["default"] = 0,
                ["description"] = "Sweeps of higher priority are served first; those of the same share the lanes.",
            },
            ["budget"] = CreateObject(
                [],
                new JsonObject
                {
                    ["trials"] = DescribeWhole(1, "Trials that may begin."),
                    ["deviceHours"] = new JsonObject
                    {
                        ["type"] = "number",
                        ["minimum"] = 0,
                        ["description"] = "How much of the lanes' time may be used.",
                    },
                }),
            [SettingTable.KernelWeightsKey] = CreateObject([], CreateSettings(SettingTable.KernelWeights)),
            [SettingTable.FineTuneKey] = CreateObject([], CreateSettings(SettingTable.FineTune)),
        };
        AddSettings(properties, SettingTable.TopLevel);
        return properties;
    }

    private static JsonObject CreateTarget()
    {
        var properties = CreateDataset();
        properties["name"] = DescribeText("Letters, digits, '-', '_' and '.'.");
        return CreateObject(["name", "data"], properties);
    }

    private static JsonObject CreateVary()
    {
        var properties = new JsonObject();
        foreach (var setting in SettingTable.All)
        {
            var value = setting.CreateSchema();
            value.Remove("default");
            properties[setting.Path] = CreateArrayOf(value, minItems: 1);
        }
        var vary = CreateObject([], properties);
        vary["description"] = "Values of settings by their path; every combination is a scenario.";
        return vary;
    }

    private static JsonObject CreateSearch()
    {
        var over = new JsonObject();
        foreach (var setting in SettingTable.All)
        {
            var value = setting.CreateSchema();
            value.Remove("default");
            over[setting.Path] = new JsonObject
            {
                ["oneOf"] = new JsonArray(
                    CreateArrayOf(value, minItems: 1),
                    CreateObject(["uniform"], new JsonObject { ["uniform"] = CreateEnds() }),
                    CreateObject(["logUniform"], new JsonObject { ["logUniform"] = CreateEnds() })),
            };
        }
        var search = CreateObject(["over"], new JsonObject
        {
            ["over"] = CreateObject([], over),
            ["points"] = DescribeWhole(1, "Random candidates to draw; every combination of lists where it is left out."),
            ["seed"] = DescribeWhole(0, "Of the draws."),
            ["halving"] = CreateObject([], new JsonObject
            {
                ["factor"] = DescribeWhole(2, "One in so many candidates goes on from each rung; 3 where it is left out."),
                ["epochs"] = DescribeWhole(1, "Of fine-tuning up to the first rung; 1 where it is left out."),
            }),
        });
        search["description"] = "Candidates instead of 'vary', of which each method's best on the validation split counts.";
        return search;

        static JsonObject CreateEnds() => new()
        {
            ["type"] = "array",
            ["items"] = new JsonObject { ["type"] = "number" },
            ["minItems"] = 2,
            ["maxItems"] = 2,
        };
    }

    private static JsonObject CreateMethods()
    {
        return new JsonObject
        {
            ["description"] = "What is run and compared; all where it is left out.",
            ["oneOf"] = new JsonArray(CreateName(), CreateArrayOf(CreateName(), minItems: 1)),
        };

        static JsonObject CreateName() => new() { ["enum"] = CreateArray(["all", .. MethodRegistry.Names]) };
    }

    private static JsonObject CreateSource()
    {
        var pretrain = CreateDataset();
        pretrain["seed"] = DescribeWhole(0, "Of the random weights and the batches; drawn from the source's name where it is left out.");
        AddSettings(pretrain, SettingTable.Pretrain);
        var source = CreateObject(["name"], new JsonObject
        {
            ["name"] = DescribeText("Letters, digits, '-', '_' and '.'."),
            ["weights"] = DescribeText(
                "A safetensors file, PyTorch checkpoint or ONNX model, beside the specification or in MEDMERGE_DATA."),
            ["prefix"] = DescribeText(
                "Which of several models in the weight file: what stands before its tensors' names, such as 'teacher.'; '.' for nothing."),
            ["normalisation"] = new JsonObject
            {
                ["enum"] = CreateArray(InputNormalisation.Known.Keys),
                ["description"] = "How the images were normalised that a weight file was trained on, where its metadata don't say.",
            },
            ["from"] = DescribeText("The source that 'pretrain' starts from; random weights where it is left out."),
            ["pretrain"] = CreateObject(["data"], pretrain),
        });
        source["oneOf"] = new JsonArray(
            new JsonObject { ["required"] = new JsonArray("weights") },
            new JsonObject { ["required"] = new JsonArray("pretrain") });
        source["dependentRequired"] = new JsonObject
        {
            ["prefix"] = new JsonArray("weights"),
            ["normalisation"] = new JsonArray("weights"),
            ["from"] = new JsonArray("pretrain"),
        };
        return source;
    }

    private static JsonObject CreateDataset()
    {
        var properties = new JsonObject { ["data"] = DescribeText($"The data set: {DatasetFormats.All.Description}.") };
        AddSettings(properties, DatasetSettingTable.All);
        return properties;
    }

    private static JsonObject CreateSettings<TOwner>(IEnumerable<Setting<TOwner>> settings)
    {
        var properties = new JsonObject();
        AddSettings(properties, settings);
        return properties;
    }

    private static void AddSettings<TOwner>(JsonObject properties, IEnumerable<Setting<TOwner>> settings)
    {
        foreach (var setting in settings) properties[setting.Path] = setting.CreateSchema();
    }

    private static JsonObject CreateObject(IEnumerable<string> required, JsonObject properties)
    {
        var schema = new JsonObject { ["type"] = "object", ["additionalProperties"] = false };
        var names = CreateArray(required);
        if (names.Count > 0) schema["required"] = names;
        schema["properties"] = properties;
        return schema;
    }

    private static JsonObject CreateArrayOf(JsonObject items, int minItems, string? description = null)
    {
        var schema = new JsonObject { ["type"] = "array", ["minItems"] = minItems, ["items"] = items };
        if (description is not null) schema["description"] = description;
        return schema;
    }

    private static JsonArray CreateArray(IEnumerable<string> words) => new([.. words.Select(word => (JsonNode)word)]);

    private static JsonObject DescribeText(string description) => new() { ["type"] = "string", ["description"] = description };

    private static JsonObject DescribeWhole(int minimum, string? description = null)
    {
        var schema = new JsonObject { ["type"] = "integer", ["minimum"] = minimum };
        if (description is not null) schema["description"] = description;
        return schema;
    }
}
