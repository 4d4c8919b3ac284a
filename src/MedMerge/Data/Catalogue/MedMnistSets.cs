namespace MedMerge.Data.Catalogue;

/// <summary>
/// MedMNIST's two-dimensional data sets. Addresses, MD5, counts, tasks and licences are those of its package, version 3.0.2
/// (<c>medmnist/info.py</c>). Lengths are not in it: those here are of files with these MD5, by Zenodo's API or as they were downloaded.
/// </summary>
internal static class MedMnistSets
{
    public static IReadOnlyList<MedMnistSet> All { get; } =
    [
        new("pathmnist", "patches of colorectal tissue", Train: 89_996, Validation: 10_004, Test: 7_180)
        {
            Classes = 9,
            Channels = 3,
            Origins = [ImageOrigins.NctCrc, ImageOrigins.CrcVal],
            Md5 =
            [
                "a8b06965200029087d5bd730944a56c1",
                "55aa9c1e0525abe5a6b9d8343a507616",
                "ac42d08fb904d92c244187169d1fd1d9",
                "2c51a510bcdc9cf8ddb2af93af1eadec",
            ],
            Bytes = [205_615_438],
        },
        new("chestmnist", "chest X-rays", Train: 78_468, Validation: 11_219, Test: 22_433)
        {
            Classes = 14,
            IsMultiLabel = true,
            Origins = [ImageOrigins.ChestXray],
            Md5 =
            [
                "02c8a6516a18b556561a56cbdd36c4a8",
                "9de6cd0b934ebb5b7426cfba5efbae16",
                "db107e5590b27930b62dbaf558aebee3",
                "45bd33e6f06c3e8cdb481c74a89152aa",
            ],
        },
        new("dermamnist", "dermatoscopic images", Train: 7_007, Validation: 1_003, Test: 2_005)
        {
            Classes = 7,
            Channels = 3,
            Licence = "CC BY-NC 4.0",
            Origins = [ImageOrigins.Ham],
            Md5 =
            [
                "0744692d530f8e62ec473284d019b0c7",
                "b70a2f5635c6199aeaa28c31d7202e1f",
                "2defd784463fa5243564e855ed717de1",
                "8974907d8e169bef5f5b96bc506ae45d",
            ],
        },
        new("octmnist", "retinal OCT images", Train: 97_477, Validation: 10_832, Test: 1_000)
        {
            Classes = 4,
            Origins = [ImageOrigins.Oct],
            Md5 =
            [
                "c68d92d5b585d8d81f7112f81e2d0842",
                "e229e9440236b774d9f0dfef9d07bdaf",
                "0a97e76651ace45c5d943ee3f65b63ae",
                "abc493b6d529d5de7569faaef2773ba3",
            ],
        },
        new("pneumoniamnist", "paediatric chest X-rays", Train: 4_708, Validation: 524, Test: 624)
        {
            Classes = 2,
            Origins = [ImageOrigins.PaediatricChestXray],
            Md5 =
            [
                "28209eda62fecd6e6a2d98b1501bb15f",
                "8f4eceb4ccffa70c672198ea285246c6",
                "05b46931834c231683c68f40c47b2971",
                "d6a3c71de1b945ea11211b03746c1fe1",
            ],
            Bytes = [4_170_669, 20_606_998, 75_506_212, 214_384_716],
        },
        new("retinamnist", "graded fundus photographs", Train: 1_080, Validation: 120, Test: 400)
        {
            Classes = 5,
            Channels = 3,
            Origins = [ImageOrigins.DeepDrid],
            Md5 =
            [
                "bd4c0672f1bba3e3a89f0e4e876791e4",
                "afda852cc34dcda56f86ad2b2457dbcc",
                "e48e916a24454daf90583d4e6efb1a18",
                "eae7e3b6f3fcbda4ae613ebdcbe35348",
            ],
        },
        new("breastmnist", "breast ultrasound images", Train: 546, Validation: 78, Test: 156)
        {
            Classes = 2,
            Origins = [ImageOrigins.Busi],
            Md5 =
            [
                "750601b1f35ba3300ea97c75c52ff8f6",
                "742edef2a1fd1524b2efff4bd7ba9364",
                "363e4b3f8d712e9b5de15470a2aaadf1",
                "b56378a6eefa9fed602bb16d192d4c8b",
            ],
            Bytes = [559_580],
        },
        new("bloodmnist", "blood cells", Train: 11_959, Validation: 1_712, Test: 3_421)
        {
            Classes = 8,
            Channels = 3,
            Origins = [ImageOrigins.BloodCells],
            Md5 =
            [
                "7053d0359d879ad8a5505303e11de1dc",
                "2b94928a2ae4916078ca51e05b6b800b",
                "adace1e0ed228fccda1f39692059dd4c",
                "b718ff6835fcbdb22ba9eacccd7b2601",
            ],
        },
        new("tissuemnist", "kidney cortex cells", Train: 165_466, Validation: 23_640, Test: 47_280)
        {
            Classes = 8,
            Origins = [ImageOrigins.KidneyCells],
            Md5 =
            [
                "ebe78ee8b05294063de985d821c1c34b",
                "123ece2eba09d0aa5d698fda57103344",
                "61b955355d7425a89687b06cca3ce0c2",
                "b077128c4a949f0a4eb01517f9037b9c",
            ],
        },
        new("organamnist", "axial CT slices", Train: 34_561, Validation: 6_491, Test: 17_778)
        {
            Classes = 11,
            Origins = [ImageOrigins.Lits],
            Md5 =
            [
                "68e3f8846a6bd62f0c9bf841c0d9eacc",
                "2dcccc29b88e6da5a01161ef20cda288",
                "eeae80d0a227a8d099027e1b3cfd3b60",
                "50747347e05c87dd3aaf92c49f9f3170",
            ],
        },
        new("organcmnist", "coronal CT slices", Train: 12_975, Validation: 2_392, Test: 8_216)
        {
            Classes = 11,
            Origins = [ImageOrigins.Lits],
            Md5 =
            [
                "b9ceb9546e10131b32923c5bbeaea2b1",
                "3ce34a8724ea6f548e6db4744d03b6a9",
                "773c1f009daa3fe5d9a2a201b2a7ed94",
                "050f5e875dc056f6768abf94ec9995d1",
            ],
        },
        new("organsmnist", "sagittal CT slices", Train: 13_932, Validation: 2_452, Test: 8_827)
        {
            Classes = 11,
            Origins = [ImageOrigins.Lits],
            Md5 =
            [
                "9ab87b696fb54e2a387ebe992d6ed5f1",
                "53a6d115339d874c25e309a994ff46d3",
                "ded0c5fa01a95dc4978b956f613e9b8e",
                "b354719e553fbbb2513d5533f52a4cb1",
            ],
        },
    ];
}
